package gcpsmtest

import "regexp"

// Limits of the service (Secret Manager documentation, Quotas and limits; comments of the API).
const (
	maxPayload     = 65536 // bytes
	maxLabels      = 64
	maxLabelBytes  = 128
	maxAnnotations = 16 << 10 // bytes of all keys and values, and one more
	maxAliases     = 50
	maxTopics      = 10
)

var (
	labelKey      = regexp.MustCompile(`^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$`)
	labelValue    = regexp.MustCompile(`^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$`)
	annotationKey = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)
	topic         = regexp.MustCompile(`^projects/[^/]+/topics/[^/]+$`)
)

func checkPayload(n name, data []byte) error {
	if len(data) == 0 {
		return invalid("The payload for [%s] is empty.", n.of())
	}
	if len(data) > maxPayload {
		return invalid("The payload for [%s] has %d bytes; the limit is %d.", n.of(), len(data), maxPayload)
	}
	return nil
}

func checkLabels(s *secret, n name) error {
	if len(s.pb.GetLabels()) > maxLabels {
		return invalid("[%s] has %d labels; the limit is %d.", n.of(), len(s.pb.GetLabels()), maxLabels)
	}
	for key, value := range s.pb.GetLabels() {
		if !labelKey.MatchString(key) || len(key) > maxLabelBytes {
			return invalid("[%s] has a label whose key %q does not match %s or is longer than %d bytes.", n.of(), key, labelKey, maxLabelBytes)
		}
		if !labelValue.MatchString(value) || len(value) > maxLabelBytes {
			return invalid("[%s] has a label %q whose value does not match %s or is longer than %d bytes.", n.of(), key, labelValue, maxLabelBytes)
		}
	}
	return nil
}

func checkAnnotations(s *secret, n name) error {
	size := 0
	for key, value := range s.pb.GetAnnotations() {
		if !annotationKey.MatchString(key) {
			return invalid("[%s] has an annotation whose key %q does not match %s.", n.of(), key, annotationKey)
		}
		size += len(key) + len(value)
	}
	if size >= maxAnnotations {
		return invalid("The annotations of [%s] have %d bytes; they must have less than %d.", n.of(), size, maxAnnotations)
	}
	return nil
}

// checkAliases refuses an alias of a version that never was, which Google does not document.
func checkAliases(s *secret, n name) error {
	if len(s.pb.GetVersionAliases()) > maxAliases {
		return invalid("[%s] has %d version aliases; the limit is %d.", n.of(), len(s.pb.GetVersionAliases()), maxAliases)
	}
	for alias, number := range s.pb.GetVersionAliases() {
		if !versionAlias.MatchString(alias) || alias == latest || alias == "NEW" {
			return invalid("[%s] has a version alias %q; one matches %s and is neither latest nor NEW.", n.of(), alias, versionAlias)
		}
		if s.versions[number] == nil {
			return invalid("[%s] has a version alias %q of version %d, which does not exist.", n.of(), alias, number)
		}
	}
	return nil
}

func checkTopics(s *secret, n name) error {
	if len(s.pb.GetTopics()) > maxTopics {
		return invalid("[%s] has %d topics; the limit is %d.", n.of(), len(s.pb.GetTopics()), maxTopics)
	}
	for _, t := range s.pb.GetTopics() {
		if !topic.MatchString(t.GetName()) {
			return invalid("[%s] has a topic %q; one matches %s.", n.of(), t.GetName(), topic)
		}
	}
	return nil
}

// checkType refuses the types that make demands on payloads, which this server does not know.
func checkType(s *secret, n name) error {
	if s.pb.GetSecretType() != 0 {
		return invalid("[%s] has the type %s, which this server does not have.", n.of(), s.pb.GetSecretType())
	}
	return nil
}
