package localstack

import (
	"strings"
	"unicode/utf8"
)

// Limits of the API reference, in characters unless they say otherwise.
const (
	maxName        = 512   // CreateSecret, Name
	maxSecretID    = 2048  // GetSecretValue, SecretId
	maxDescription = 2048  // CreateSecret, Description
	maxKMSKeyID    = 2048  // CreateSecret, KmsKeyId
	maxValue       = 65536 // bytes; Secrets Manager user guide, AWS Secrets Manager quotas
	minToken       = 32    // CreateSecret, ClientRequestToken
	maxToken       = 64
	maxNextToken   = 4096 // ListSecrets, NextToken
	maxLabel       = 256  // PutSecretValue, VersionStages
	maxTags        = 50   // AWS General Reference, Service quotas for Tagging
	maxTagKey      = 128  // Tag, Key
	maxTagValue    = 256  // Tag, Value
	maxBatch       = 20   // BatchGetSecretValue, SecretIdList and MaxResults
	maxPage        = 100  // ListSecrets and ListSecretVersionIds, MaxResults
	maxFilters     = 10   // ListSecrets, Filters; Filter, Values
	maxFilterValue = 512  // Filter, Values
)

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func checkLength(member, s string, shortest, longest int) error {
	switch n := utf8.RuneCountInString(s); {
	case n < shortest:
		return invalid(member, "have length greater than or equal to %d", shortest)
	case n > longest:
		return invalid(member, "have length less than or equal to %d", longest)
	}
	return nil
}

func checkCount(member string, n, longest int) error {
	switch {
	case n < 1:
		return invalid(member, "have length greater than or equal to 1")
	case n > longest:
		return invalid(member, "have length less than or equal to %d", longest)
	}
	return nil
}

// checkName is for the name of a new secret.
func checkName(name string) error {
	if err := checkLength("name", name, 1, maxName); err != nil {
		return err
	}
	return checkCharacters(name, "/_+=.@-")
}

// checkSecretID is for a name or an ARN that selects a secret. The names of secrets that other AWS services own have a
// "!", so it is refused in a new name only.
func checkSecretID(id string) error {
	if err := checkLength("secretId", id, 1, maxSecretID); err != nil {
		return err
	}
	if strings.HasPrefix(id, "arn:") {
		return checkCharacters(id, ":/_+=.@-!")
	}
	return checkCharacters(id, "/_+=.@-!")
}

func checkCharacters(name, punctuation string) error {
	if !consistsOf(name, alphanumeric+punctuation) {
		return &apiError{"ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"}
	}
	return nil
}

func consistsOf(s, characters string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(characters, r) })
}

// checkToken checks a ClientRequestToken. SDKs make one up; a client without an SDK must do so itself.
func checkToken(token *string) error {
	if token == nil {
		return errNoToken
	}
	if n := utf8.RuneCountInString(*token); n < minToken || n > maxToken {
		return errTokenLength
	}
	return nil
}

// checkValue returns the value of a request and whether it has one.
func checkValue(text *string, binary []byte) (value, bool, error) {
	switch {
	case text == nil && binary == nil:
		return value{}, false, nil
	case text != nil && binary != nil:
		return value{}, false, errTwoValues
	case text != nil:
		v, err := sized("secretString", value{data: *text})
		return v, true, err
	}
	v, err := sized("secretBinary", value{data: string(binary), binary: true})
	return v, true, err
}

// sized refuses values that are too long, and empty ones, which the service takes for absent.
func sized(member string, v value) (value, error) {
	if v.data == "" {
		return value{}, errNoValue
	}
	if len(v.data) > maxValue {
		return value{}, invalid(member, "have length less than or equal to %d", maxValue)
	}
	return v, nil
}

func checkLabels(labels []string) error {
	if labels == nil {
		return nil
	}
	if err := checkCount("versionStages", len(labels), maxLabels); err != nil {
		return err
	}
	for _, label := range labels {
		if err := checkLength("versionStages", label, 1, maxLabel); err != nil {
			return err
		}
	}
	return nil
}

// checkOptional returns an optional member of a request, "" if it is left out.
func checkOptional(member string, s *string, shortest, longest int) (string, error) {
	if s == nil {
		return "", nil
	}
	return *s, checkLength(member, *s, shortest, longest)
}
