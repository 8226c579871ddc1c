package localstack

import (
	"maps"
	"slices"
	"time"
)

// The staging labels that have a meaning of their own.
const (
	labelCurrent  = "AWSCURRENT"
	labelPending  = "AWSPENDING"
	labelPrevious = "AWSPREVIOUS"
)

// maxLabels counts the labels on all versions of a secret (Secrets Manager user guide, AWS Secrets Manager quotas).
const maxLabels = 20

// secret is one life of a secret, from its creation to its deletion.
type secret struct {
	arn, name, description, kmsKeyID string
	serial                           int // in the order of creation
	created, changed                 time.Time
	accessed                         time.Time // zero: never
	deleted                          time.Time // DeletionDate; zero: not scheduled for deletion
	freed                            time.Time // when its name is free; zero: not scheduled for deletion
	forced                           bool      // deleted without recovery
	tags                             map[string]string
	versions                         map[string]*version
	serials                          int               // how many versions there have been
	labels                           map[string]string // label to the ID of the one version it is on
}

type version struct {
	id, kmsKeyID      string
	serial            int
	value             value
	created, accessed time.Time
}

// value is a SecretString or a SecretBinary.
type value struct {
	data   string
	binary bool
}

// put adds the version id with labels, AWSCURRENT if there are none. Where that version exists it does nothing if the
// value is the same, labels included, and fails if it is not. After an error the secret is as it was.
func (s *secret) put(id string, v value, labels []string, now time.Time) error {
	if old := s.versions[id]; old != nil {
		if old.value != v {
			return s.tokenInUse(id)
		}
		return nil
	}
	if len(labels) == 0 || len(s.versions) == 0 {
		labels = append(slices.Clone(labels), labelCurrent)
	}
	next := maps.Clone(s.labels)
	for _, label := range labels {
		attach(next, label, id)
	}
	if len(next) > maxLabels {
		return errTooManyLabels
	}
	if err := s.makeRoom(now); err != nil {
		return err
	}
	s.labels = next
	s.versions[id] = &version{id: id, kmsKeyID: s.kmsKeyID, serial: s.serials, value: v, created: now}
	s.serials++
	s.changed = now
	return nil
}

func (s *secret) tokenInUse(id string) error {
	return exists("You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", id, s.arn)
}

// gone reports whether the life of the secret has ended.
func (s *secret) gone(now time.Time) bool {
	return !s.freed.IsZero() && !now.Before(s.freed)
}

// move takes label from the version from and puts it on the version to; "" is none. It fails, and changes nothing, unless
// from is where the label is.
func (s *secret) move(label, to, from string, now time.Time) error {
	holder := s.labels[label]
	switch {
	case to != "" && s.versions[to] == nil:
		return notFound("Secrets Manager can't find the specified secret version: %s.", to)
	case from != "" && from != holder:
		return invalidParameter("Staging label %s isn't attached to version %s.", label, from)
	case to == "" && from == "":
		return invalidParameter("You must provide MoveToVersionId, RemoveFromVersionId or both.")
	case to == "" && label == labelCurrent:
		return invalidParameter("You can only move staging label %s to a different secret version. It can't be completely removed.", label)
	case from == "" && holder != "" && holder != to:
		return invalidParameter("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, "+
			"so you must explicitly reference that version in RemoveFromVersionId.", label, holder)
	}
	next := maps.Clone(s.labels)
	if to == "" {
		delete(next, label)
	} else {
		attach(next, label, to)
	}
	if len(next) > maxLabels {
		return errTooManyLabels
	}
	s.labels, s.changed = next, now
	return nil
}

// attach puts label on the version id; AWSPREVIOUS goes where AWSCURRENT came from.
func attach(labels map[string]string, label, id string) {
	old := labels[label]
	labels[label] = id
	if label == labelCurrent && old != "" && old != id {
		labels[labelPrevious] = old
	}
}

// find returns the version with the ID, or with the label, or with both; AWSCURRENT if both are empty.
func (s *secret) find(id, label string) (*version, error) {
	if id == "" && label == "" {
		label = labelCurrent
	}
	if id == "" {
		v := s.versions[s.labels[label]]
		if v == nil {
			return nil, notFound("Secrets Manager can't find the specified secret value for staging label: %s", label)
		}
		return v, nil
	}
	v := s.versions[id]
	if v == nil {
		return nil, notFound("Secrets Manager can't find the specified secret value for VersionId: %s", id)
	}
	if label != "" && s.labels[label] != id {
		return nil, errStageNotOnID
	}
	return v, nil
}

// labelsOf returns the labels of a version in order.
func (s *secret) labelsOf(id string) []string {
	var labels []string
	for label, holder := range s.labels {
		if holder == id {
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels
}

// stages returns the labels of each version that has any.
func (s *secret) stages() map[string][]string {
	stages := map[string][]string{}
	for _, id := range s.labels {
		stages[id] = s.labelsOf(id)
	}
	return stages
}

// touch notes that a value was read and reports whether it is the first time on that day: AWS shows the day only.
func (s *secret) touch(v *version, now time.Time) bool {
	day := now.UTC().Truncate(24 * time.Hour)
	first := !s.accessed.Equal(day)
	s.accessed, v.accessed = day, day
	return first
}
