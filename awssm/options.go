package awssm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// Options say where in an account the tokens lie, and how secrets are made there.
type Options struct {
	// Prefix is the folder of the secrets, "crm/prod": a secret is called PREFIX/name. It is required, since an
	// account is shared; stores with one prefix in one account and region are the same store. It has 1 to 256 of
	// the characters that Secrets Manager takes, ASCII letters, digits and /_+=.@-, and no slash at either end.
	Prefix string

	// KMSKeyID is the ARN, ID or alias of the key that encrypts new secrets. Empty means the account's
	// aws/secretsmanager key, which costs nothing. Existing secrets keep the key they have.
	KMSKeyID string

	// RecoveryWindow is for how many days, 7 to 30, a deleted secret can be restored by hand. 0 means that deletes
	// are final at once, in one call.
	//
	// With a window, a delete first writes a tombstone over the token, so that a restore brings no credential back
	// as the current version, then schedules the deletion: 3 calls. Older versions stay readable in a restored
	// secret until AWS removes them. Creating a deleted name again restores the secret and writes over the
	// tombstone: 5 calls, and the actions DescribeSecret and RestoreSecret.
	RecoveryWindow int

	// Tags are put on new secrets: for cost allocation, or for policies that go by tag. At most 50, keys of up to
	// 128 characters, values of up to 256; keys that begin with "aws:" are reserved.
	Tags map[string]string

	// TwoStep says that every put is decided by moving the label AWSCURRENT from the version that was read, which
	// fails where the label is not there (API reference, UpdateSecretVersionStage). Without it a put is one call, and is
	// decided by its ClientRequestToken, which AWS documents for retries: it follows from those rules that of two
	// writers one fails, but it is not promised in so many words. With it a put also conflicts with a value that
	// somebody put in by hand since the read.
	//
	// It costs a call more for each put, 2 of the 50 in a second that an account has for PutSecretValue, UpdateSecret
	// and UpdateSecretVersionStage together, and one of a secret's 20 staging labels. The first put to a secret that
	// was made without it is 3 calls and 2 versions. A writer whom another is ahead of waits 50 ms.
	//
	// Handles with and without it may share a prefix, and it can be set and unset at any time: a secret that was once
	// written in two steps is written so by all, who then need secretsmanager:UpdateSecretVersionStage.
	TwoStep bool

	// Store are the options of the store itself.
	Store tokenkeep.Options
}

// Limits from the user guide, "AWS Secrets Manager quotas", and the API reference of TagResource.
const (
	maxPayload      = 65536 // bytes
	maxName         = 512   // characters of a secret's name
	maxPrefix       = 256   // ours: leaves room for the longest name that package tokenkeep makes
	maxTags         = 50
	maxTagKey       = 128
	maxTagValue     = 256
	minWindow       = 7 // days
	maxWindow       = 30
	versionsPerDay  = 100 // versions younger than 24 hours are not removed, and a secret holds about 100
	maxLabels       = 20  // staging labels, over all versions of a secret
	namePunctuation = "/_+=.@-"
)

// invalidOption is an error about one of the Options.
func invalidOption(format string, args ...any) error {
	return fmt.Errorf("awssm: Options.%s: %w", fmt.Sprintf(format, args...), driver.ErrInvalid)
}

func (o Options) validate() error {
	if err := validatePrefix(o.Prefix); err != nil {
		return err
	}
	if w := o.RecoveryWindow; w != 0 && (w < minWindow || w > maxWindow) {
		return invalidOption("RecoveryWindow is %d days; Secrets Manager takes %d to %d, and 0 is none", w, minWindow, maxWindow)
	}
	return validateTags(o.Tags)
}

func validatePrefix(prefix string) error {
	switch {
	case prefix == "":
		return invalidOption(`Prefix is empty; name the folder of this store's secrets, like "crm/prod"`)
	case len(prefix) > maxPrefix:
		return invalidOption("Prefix has %d bytes; shorten it to %d", len(prefix), maxPrefix)
	case strings.HasPrefix(prefix, "/") || strings.HasSuffix(prefix, "/"):
		return invalidOption("Prefix is %q; leave out the slash at its start or end", prefix)
	}
	for _, r := range prefix {
		if !nameCharacter(r) {
			return invalidOption("Prefix is %q; Secrets Manager refuses %q in a name, use ASCII letters, digits and %s",
				prefix, r, namePunctuation)
		}
	}
	return nil
}

func nameCharacter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(namePunctuation, r)
}

func validateTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return invalidOption("Tags has %d tags; a secret takes %d", len(tags), maxTags)
	}
	for key, value := range tags {
		switch {
		case key == "" || len([]rune(key)) > maxTagKey:
			return invalidOption("Tags has the key %q; a key has 1 to %d characters", key, maxTagKey)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return invalidOption(`Tags has the key %q; keys that begin with "aws:" are reserved`, key)
		case len([]rune(value)) > maxTagValue:
			return invalidOption("Tags has a value of %d characters under %q; it takes %d", len([]rune(value)), key, maxTagValue)
		}
	}
	return nil
}

// sdkTags are the tags as the SDK takes them, ordered so that equal options make equal requests.
func (o Options) sdkTags() []types.Tag {
	var tags []types.Tag
	for _, key := range slices.Sorted(maps.Keys(o.Tags)) {
		tags = append(tags, types.Tag{Key: aws.String(key), Value: aws.String(o.Tags[key])})
	}
	return tags
}
