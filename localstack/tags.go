package localstack

import (
	"maps"
	"strings"
)

type tag struct{ Key, Value string }

// emptyOutput is the reply of actions that answer nothing.
type emptyOutput struct{}

type tagResourceInput struct {
	SecretId string
	Tags     []tag
}

func (a *account) tagResource(in tagResourceInput) (emptyOutput, error) {
	if in.Tags == nil {
		return emptyOutput{}, invalid("tags", "not be null")
	}
	s, err := a.findLive(in.SecretId)
	if err != nil {
		return emptyOutput{}, err
	}
	if err := s.tag(in.Tags); err != nil {
		return emptyOutput{}, err
	}
	s.changed = a.now()
	a.listed.note(s, s.changed)
	return emptyOutput{}, nil
}

type untagResourceInput struct {
	SecretId string
	TagKeys  []string
}

// untagResource removes tags. Removing one that is not there is no error.
func (a *account) untagResource(in untagResourceInput) (emptyOutput, error) {
	if in.TagKeys == nil {
		return emptyOutput{}, invalid("tagKeys", "not be null")
	}
	for _, key := range in.TagKeys {
		if err := checkLength("tagKeys", key, 1, maxTagKey); err != nil {
			return emptyOutput{}, err
		}
	}
	s, err := a.findLive(in.SecretId)
	if err != nil {
		return emptyOutput{}, err
	}
	next := maps.Clone(s.tags)
	for _, key := range in.TagKeys {
		delete(next, key)
	}
	s.tags, s.changed = next, a.now()
	a.listed.note(s, s.changed)
	return emptyOutput{}, nil
}

// tag adds tags and replaces the values of those it has. After an error the secret is as it was.
func (s *secret) tag(tags []tag) error {
	next := maps.Clone(s.tags)
	for _, t := range tags {
		if err := checkLength("tags.key", t.Key, 1, maxTagKey); err != nil {
			return err
		}
		if err := checkLength("tags.value", t.Value, 0, maxTagValue); err != nil {
			return err
		}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return invalidParameter("Tag keys that start with aws: are reserved for AWS.")
		}
		next[t.Key] = t.Value
	}
	if len(next) > maxTags {
		return invalidParameter("A secret can't have more than %d tags.", maxTags)
	}
	s.tags = next
	return nil
}
