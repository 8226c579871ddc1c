package gcpsm

import (
	"fmt"
	"log/slog"
	"regexp"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// Options say which secrets of a project are the tokens', and how secrets are made there.
type Options struct {
	// Prefix begins the ID of each secret, PREFIX-name, and of no other secret of the project. It is required; stores
	// with one prefix in one parent are the same store. It has 1 to 160 ASCII letters, digits, - and _. No prefix should
	// be another one with a hyphen and more behind it, as crm and crm-test are: a role for secrets that begin with
	// "crm-" would be one for both.
	Prefix string

	// Replicas are where new secrets of "projects/P" are stored. Empty means that Google decides, which is billed as one
	// location; with replicas each is billed. Regional secrets have none.
	Replicas []Replica

	// KMSKey is the resource name of the key that encrypts new secrets: of the location global, or of that of regional
	// secrets. Empty means a key of Google's. Secrets with Replicas have keys there.
	KMSKey string

	// Labels are put on new secrets: for cost allocation. At most 64; keys and values are of lower case letters, digits,
	// - and _, up to 63 of them, and a key begins with a letter.
	Labels map[string]string

	// NoCreate says that secrets are made by somebody else, such as Terraform, and not by this program, which then needs
	// no permission on the project. A secret without versions is one that holds no token. Deleting a token leaves its
	// secret empty.
	NoCreate bool

	// Logger is told once, at level warn, which permission is missing to destroy superseded versions. nil means that of
	// Store, and nil there too discards. It never sees a credential.
	Logger *slog.Logger

	// Store are the options of the store itself.
	Store tokenkeep.Options
}

// Replica is a location that stores a copy of a secret.
type Replica struct {
	Location string // "europe-west1"
	KMSKey   string // the resource name of a key of that location; empty means a key of Google's
}

// Limits from the Secret Manager documentation, "Quotas and limits", and the comments of its API.
const (
	maxPayload = 65536 // bytes
	maxID      = 255   // characters of a secret's ID
	maxPrefix  = 160   // ours: leaves room for the longest name that package tokenkeep makes
	maxLabels  = 64
)

var (
	parents    = regexp.MustCompile(`^projects/[a-z0-9.:-]+(/locations/([a-z0-9-]+))?$`)
	prefixes   = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	locations  = regexp.MustCompile(`^[a-z0-9-]+$`)
	kmsKeys    = regexp.MustCompile(`^projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+$`)
	labelKey   = regexp.MustCompile(`^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$`)
	labelValue = regexp.MustCompile(`^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$`)
)

// invalidOption is an error about one of the Options.
func invalidOption(format string, args ...any) error {
	return fmt.Errorf("gcpsm: Options.%s: %w", fmt.Sprintf(format, args...), driver.ErrInvalid)
}

// locationOf is the location of regional secrets, "" for others.
func locationOf(parent string) (string, error) {
	found := parents.FindStringSubmatch(parent)
	if found == nil {
		return "", fmt.Errorf(`gcpsm: the parent is %q; it is like "projects/P" or "projects/P/locations/L": %w`, parent, driver.ErrInvalid)
	}
	return found[2], nil
}

func checkPrefix(prefix string) error {
	switch {
	case prefix == "":
		return invalidOption(`Prefix is empty; name this store's secrets, like "crm-prod"`)
	case len(prefix) > maxPrefix:
		return invalidOption("Prefix has %d bytes; shorten it to %d", len(prefix), maxPrefix)
	case !prefixes.MatchString(prefix):
		return invalidOption("Prefix is %q; Secret Manager takes ASCII letters, digits, - and _", prefix)
	}
	return nil
}

// validate finds what Secret Manager would refuse. location is that of regional secrets.
func (o Options) validate(location string) error {
	if err := checkPrefix(o.Prefix); err != nil {
		return err
	}
	if err := o.validateKeys(location); err != nil {
		return err
	}
	if len(o.Labels) > maxLabels {
		return invalidOption("Labels has %d labels; a secret takes %d", len(o.Labels), maxLabels)
	}
	for key, value := range o.Labels {
		if !labelKey.MatchString(key) || !labelValue.MatchString(value) {
			return invalidOption("Labels has %q: %q; use up to 63 lower case letters, digits, - and _, and begin the key with a letter", key, value)
		}
	}
	return nil
}

func (o Options) validateKeys(location string) error {
	if len(o.Replicas) > 0 && location != "" {
		return invalidOption("Replicas are for secrets without a location; those of %q have none", location)
	}
	if len(o.Replicas) > 0 && o.KMSKey != "" {
		return invalidOption("KMSKey is not for secrets with Replicas; give each replica a key")
	}
	if location == "" {
		location = "global"
	}
	if err := checkKey("KMSKey", o.KMSKey, location); err != nil {
		return err
	}
	for _, r := range o.Replicas {
		if !locations.MatchString(r.Location) {
			return invalidOption(`Replicas has the location %q; it is like "europe-west1"`, r.Location)
		}
		if err := checkKey("Replicas has a KMSKey that", r.KMSKey, r.Location); err != nil {
			return err
		}
	}
	return nil
}

func checkKey(option, key, location string) error {
	if key == "" {
		return nil
	}
	if found := kmsKeys.FindStringSubmatch(key); found == nil || found[1] != location {
		return invalidOption("%s is %q; it is like projects/P/locations/%s/keyRings/R/cryptoKeys/K", option, key, location)
	}
	return nil
}

// secret is what a new secret is made of.
func (o Options) secret(location string) *secretmanagerpb.Secret {
	secret := &secretmanagerpb.Secret{Labels: o.Labels}
	switch {
	case location != "":
		secret.CustomerManagedEncryption = encryption(o.KMSKey)
	case len(o.Replicas) == 0:
		secret.Replication = &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_Automatic_{
			Automatic: &secretmanagerpb.Replication_Automatic{CustomerManagedEncryption: encryption(o.KMSKey)},
		}}
	default:
		managed := &secretmanagerpb.Replication_UserManaged{}
		for _, r := range o.Replicas {
			managed.Replicas = append(managed.Replicas, &secretmanagerpb.Replication_UserManaged_Replica{
				Location: r.Location, CustomerManagedEncryption: encryption(r.KMSKey),
			})
		}
		secret.Replication = &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_UserManaged_{UserManaged: managed}}
	}
	return secret
}

func encryption(key string) *secretmanagerpb.CustomerManagedEncryption {
	if key == "" {
		return nil
	}
	return &secretmanagerpb.CustomerManagedEncryption{KmsKeyName: key}
}
