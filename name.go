package tokenkeep

import (
	"fmt"
	"strings"
)

const tokenPrefix = "t_" // of the names of token secrets

// SecretName returns the name of the secret of a token, without the prefix of its store: t_p and the ID where that is made of
// [a-z0-9] only, else t_x and its bytes in base32. Every ID has one name and every name one ID; no ID can leave the folder. It is
// for finding a token in the console of a manager; whether there is one it does not say.
func SecretName(id string) string {
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return tokenPrefix + "x" + base32lower.EncodeToString([]byte(id))
		}
	}
	return tokenPrefix + "p" + id
}

// tokenID returns the ID whose secret has this name; ok is false for names that SecretName does not make.
func tokenID(name string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(name, tokenPrefix)
	if !ok || len(rest) < 2 {
		return "", false
	}
	switch rest[0] {
	case 'p':
		id = rest[1:]
	case 'x':
		raw, err := base32lower.DecodeString(rest[1:])
		if err != nil {
			return "", false
		}
		id = string(raw)
	}
	return id, id != "" && SecretName(id) == name
}

// checkName refuses an ID whose secret would have a longer name than the manager takes.
func checkName(id string, limit int) error {
	if n := len(SecretName(id)); limit > 0 && n > limit {
		return fmt.Errorf("an ID of %d bytes makes a secret name of %d, at most %d fit; choose a shorter ID: %w", len(id), n, limit, ErrInvalid)
	}
	return nil
}
