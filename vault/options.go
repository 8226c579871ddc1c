package vault

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// Options say where in Vault the tokens lie.
type Options struct {
	// Mount is the path of a KV engine of version 2. Empty means "secret". Slashes around it do no harm.
	Mount string

	// Prefix is the folder of the secrets, "crm/prod": a secret is called MOUNT/PREFIX/name. It is required, since a
	// mount is shared; stores with one prefix in one mount are the same store. It has at most 256 bytes: ASCII letters,
	// digits and _.@=- in segments between single slashes, none of them "." or "..".
	Prefix string

	// Namespace is the full path of the namespace of the mount: a feature of Vault Enterprise, HCP and OpenBao. Empty
	// means that of the client, which NewClient takes from VAULT_NAMESPACE. The community edition of Vault ignores it.
	Namespace string

	// MaxPayload is the size of the largest secret, in bytes as Vault stores it: in JSON, where a quote or a backslash
	// takes two and each of <, > and & six. 0 means 500,000, which fits every storage; integrated storage takes 1 MiB
	// unless max_entry_size says otherwise, Consul 512 KiB ("Limits and maximums" in Vault's documentation).
	MaxPayload int

	// Logger is told once, at level warn, what about the mount or the policy keeps old versions readable or lets tokens
	// expire. nil means that of Store, and nil there too discards. It never sees a credential.
	Logger *slog.Logger

	// Store are the options of the store itself.
	Store tokenkeep.Options
}

const (
	defaultMount      = "secret"
	defaultMaxPayload = 500_000 // bytes
	maxPrefix         = 256     // bytes; ours
	maxName           = 512     // bytes of prefix and name; ours: storages differ
	pathPunctuation   = "_.@=-" // not + and *, which mean something in a policy
)

// invalidOption is an error about one of the Options.
func invalidOption(format string, args ...any) error {
	return fmt.Errorf("vault: Options.%s: %w", fmt.Sprintf(format, args...), driver.ErrInvalid)
}

// withDefaults returns checked options in which nothing is left out but the namespace.
func (o Options) withDefaults() (Options, error) {
	if o.Mount == "" {
		o.Mount = defaultMount
	}
	if o.MaxPayload == 0 {
		o.MaxPayload = defaultMaxPayload
	}
	if o.Logger == nil {
		o.Logger = o.Store.Logger
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Mount, o.Namespace = strings.Trim(o.Mount, "/"), strings.Trim(o.Namespace, "/")
	switch {
	case o.Prefix == "":
		return o, invalidOption(`Prefix is empty; name the folder of this store's secrets, like "crm/prod"`)
	case len(o.Prefix) > maxPrefix:
		return o, invalidOption("Prefix has %d bytes; shorten it to %d", len(o.Prefix), maxPrefix)
	case o.MaxPayload < 0:
		return o, invalidOption("MaxPayload is %d; it counts bytes, and 0 is %d", o.MaxPayload, defaultMaxPayload)
	}
	if err := checkPath("Prefix", o.Prefix); err != nil {
		return o, err
	}
	if err := checkPath("Mount", o.Mount); err != nil {
		return o, err
	}
	if o.Namespace == "" {
		return o, nil
	}
	return o, checkPath("Namespace", o.Namespace)
}

// checkPath refuses what the client of Vault would turn into another path, and what a policy would not take literally.
func checkPath(option, path string) error {
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "":
			return invalidOption("%s is %q; leave out the empty segment, or the slash at its start or end", option, path)
		case ".", "..":
			return invalidOption("%s is %q; the segment %q would lead to another folder", option, path, segment)
		}
		for _, r := range segment {
			if !pathCharacter(r) {
				return invalidOption("%s is %q; it has %q, use ASCII letters, digits and %s", option, path, r, pathPunctuation)
			}
		}
	}
	return nil
}

func pathCharacter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(pathPunctuation, r)
}
