package storeurl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep"
)

// Store is a token store that is closed when it is no longer needed. What Open returns for a secrets manager has the other
// methods of *tokenkeep.SecretStore too, such as Verify; find them by an interface of one's own.
type Store interface {
	tokenkeep.Store
	io.Closer

	// SaveTokens saves many tokens, as [tokenkeep.SecretStore.SaveTokens] and with fewer calls than SaveToken for each.
	SaveTokens(ctx context.Context, tokens []tokenkeep.Token) ([]tokenkeep.Token, error)
}

const forms = "awssm://REGION/PREFIX, gcpsm://PROJECT/PREFIX, gcpsm://PROJECT/LOCATION/PREFIX, vault://HOST/PREFIX?mount=MOUNT, " +
	"vault:///PREFIX (at VAULT_ADDR), localstack://PREFIX, file:PATH, sqlite:PATH, mysql://USER@HOST/DB?table=TABLE or mem:"

// Open returns the store that a URL of one of the package's forms names. It reads the environment and, for awssm, the
// files of the AWS configuration; whether the manager answers shows at the first use of the store.
//
// What is none of the forms is [tokenkeep.ErrInvalid], and the error lists them. It repeats neither the URL nor a host, since
// somebody may have written a password there.
func Open(ctx context.Context, url string) (Store, error) {
	store, err := open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("storeurl: %w", err)
	}
	return store, nil
}

func open(ctx context.Context, url string) (Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "mem":
		return openMemory(rest)
	case "file":
		return openFile(rest)
	case "sqlite":
		return openSQLite(rest)
	}
	rest, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return nil, invalid("it has no scheme that is known")
	}
	p, err := split(rest)
	if err != nil {
		return nil, err
	}
	if scheme == "mysql" {
		return openMySQL(p)
	}
	if host, _, _ := strings.Cut(p.path, "/"); strings.Contains(host, "@") {
		return nil, invalid("it has a user or password, which belong in the environment")
	}
	switch scheme {
	case "awssm":
		return openAWS(ctx, p)
	case "gcpsm":
		return openGoogle(ctx, p)
	case "vault":
		return openVault(p)
	case "localstack":
		return openLocalstack(ctx, p)
	}
	return nil, invalid("its scheme is not known")
}

// invalid is an error about the URL. The text must not quote what may be a password.
func invalid(format string, args ...any) error {
	return fmt.Errorf("the URL of the store is not right: %s; the forms are %s: %w", fmt.Sprintf(format, args...), forms, tokenkeep.ErrInvalid)
}

// parts are what follows the scheme of a URL.
type parts struct {
	path       string // host and prefix
	parameters url.Values
}

func split(rest string) (parts, error) {
	path, query, _ := strings.Cut(rest, "?")
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return parts{}, invalid("what follows the ? cannot be understood")
	}
	return parts{path, parameters}, nil
}

// only refuses parameters other than those named, and those given twice.
func (p parts) only(known ...string) error {
	for _, name := range slices.Sorted(maps.Keys(p.parameters)) {
		switch {
		case slices.Contains(known, name) && len(p.parameters[name]) == 1 && p.parameters.Get(name) != "":
		case slices.Contains(known, name):
			return invalid("the parameter %s is empty or given twice", name)
		case len(known) == 0:
			return invalid("it has a parameter, and this form takes none")
		default:
			return invalid("it has a parameter that is not known; this form takes %s", strings.Join(known, ", "))
		}
	}
	return nil
}

// closer is a store of a secrets manager with the end of its connections.
type closer struct {
	*tokenkeep.SecretStore
	close func()
}

// Close ends the idle connections.
func (c closer) Close() error {
	c.close()
	return nil
}

var errNoEndpoint = errors.New("no endpoint for localstack://: set LOCALSTACK_ENDPOINT, AWS_ENDPOINT_URL_SECRETS_MANAGER or " +
	"AWS_ENDPOINT_URL to the URL of a Secrets Manager, such as that of \"tokenkeep localstack\"")
