package localstack

import (
	"crypto/rand"
	"strings"
	"time"
)

// accountID is in every ARN. It is the account that stands for none, as in LocalStack.
const accountID = "000000000000"

const arnPrefix = "arn:aws:secretsmanager:" + region + ":" + accountID + ":secret:"

// suffixLength is the number of random characters at the end of an ARN (CreateSecret, Name).
const suffixLength = 6

// account holds the secrets of one account in one region by their names. A name has one secret at a time: one that is
// scheduled for deletion keeps its name. The server's mutex guards it.
type account struct {
	secrets       map[string]*secret
	serial        int // how many secrets there have been
	now           func() time.Time
	deletionDelay time.Duration
	listed        listed
}

func newAccount(o options) account {
	if o.now == nil {
		o.now = time.Now
	}
	return account{
		secrets:       map[string]*secret{},
		now:           o.now,
		deletionDelay: o.deletionDelay,
		listed:        listed{lag: o.listLag, secrets: map[string]*secret{}},
	}
}

func newARN(name string) string {
	return arnPrefix + name + "-" + rand.Text()[:suffixLength]
}

// find returns the secret that id means: its name, its ARN, or its ARN without the random suffix.
func (a *account) find(id string) (*secret, error) {
	if err := checkSecretID(id); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(id, "arn:") {
		return a.named(id)
	}
	name := strings.TrimPrefix(id, arnPrefix) // another account's ARN stays one, which is no name
	// What ends in a hyphen and six characters is taken for a complete ARN, even where that is the end of a name
	// (Secrets Manager user guide, Finding a secret from a partial ARN).
	if i := len(name) - suffixLength - 1; i > 0 && name[i] == '-' {
		s, err := a.named(name[:i])
		if err != nil || s.arn != id {
			return nil, errNotFound
		}
		return s, nil
	}
	return a.named(name)
}

func (a *account) named(name string) (*secret, error) {
	if s := a.holder(name); s != nil {
		return s, nil
	}
	return nil, errNotFound
}

// holder returns the secret that has the name, nil if it is free.
func (a *account) holder(name string) *secret {
	s := a.secrets[name]
	if s != nil && s.gone(a.now()) {
		delete(a.secrets, name)
		return nil
	}
	return s
}

// findLive is find for actions that a secret scheduled for deletion refuses.
func (a *account) findLive(id string) (*secret, error) {
	s, err := a.find(id)
	if err != nil {
		return nil, err
	}
	if !s.deleted.IsZero() {
		return nil, errMarkedDeleted
	}
	return s, nil
}
