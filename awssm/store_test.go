package awssm_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/localstack"
	"github.com/tokenkeep/tokenkeep/storetest"
)

// With a recovery window and in two steps the suite runs under the policies of a writer.
func TestStoreOnLocalstack(t *testing.T) {
	cfg := ownConnections(t, localstackConfig(t))
	t.Parallel() // it mostly waits
	storetest.Run(t, func(*testing.T) func() tokenkeep.Store {
		o := awssm.Options{Prefix: freshPrefix()}
		return func() tokenkeep.Store { return newStore(t, secretsmanager.NewFromConfig(cfg), o) }
	}, storetest.Limits{})
}

func newStore(t *testing.T, client awssm.Client, o awssm.Options) *tokenkeep.SecretStore {
	t.Helper()
	store, err := awssm.NewStore(client, o)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// account is a strict Secrets Manager. Its handles share a prefix and a link that counts requests and can be bent.
type account struct {
	t      *testing.T
	o      awssm.Options
	link   *link
	server *localstack.Server
	direct *secretsmanager.Client // past the link
}

func newAccount(t *testing.T, o awssm.Options) *account {
	t.Helper()
	b := newBench(t, o)
	if o.Prefix == "" {
		o.Prefix = "crm/prod"
	}
	return &account{t, o, b.link, b.server, b.direct}
}

// handle returns a new handle, as another process would have it.
func (a *account) handle() *tokenkeep.SecretStore {
	a.t.Helper()
	return newStore(a.t, linked(a.server.Config(), a.link), a.o)
}

// sound returns a new handle whose requests the link does not see.
func (a *account) sound() *tokenkeep.SecretStore {
	a.t.Helper()
	return newStore(a.t, a.direct, a.o)
}

// save saves tokens, all at once, through a handle that is not used any more.
func (a *account) save(tokens ...tokenkeep.Token) []tokenkeep.Token {
	a.t.Helper()
	store, saved := a.sound(), make([]tokenkeep.Token, len(tokens))
	var group sync.WaitGroup
	for i, token := range tokens {
		group.Go(func() {
			var err error
			if saved[i], err = store.SaveToken(a.t.Context(), token); err != nil {
				a.t.Errorf("SaveToken(%v): %v", token, err)
			}
		})
	}
	group.Wait()
	if a.t.Failed() {
		a.t.FailNow()
	}
	return saved
}

// secrets returns the names of all live secrets, without the prefix.
func (a *account) secrets() []string {
	a.t.Helper()
	var names []string
	pages := secretsmanager.NewListSecretsPaginator(a.direct, &secretsmanager.ListSecretsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		for _, secret := range page.SecretList {
			names = append(names, strings.TrimPrefix(aws.ToString(secret.Name), a.o.Prefix+"/"))
		}
	}
	return names
}

// versions returns how many versions a secret has had.
func (a *account) versions(name string) int {
	a.t.Helper()
	in := &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String(a.o.Prefix + "/" + name), IncludeDeprecated: aws.Bool(true)}
	n := 0
	for pages := secretsmanager.NewListSecretVersionIdsPaginator(a.direct, in); pages.HasMorePages(); {
		page, err := pages.NextPage(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		n += len(page.Versions)
	}
	return n
}

// atOnce calls f n times, on 32 goroutines that share 4 handles.
func (a *account) atOnce(n int, f func(i int, store *tokenkeep.SecretStore)) {
	a.t.Helper()
	const goroutines, handles = 32, 4
	var stores []*tokenkeep.SecretStore
	for range handles {
		stores = append(stores, a.handle())
	}
	work := make(chan int)
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			for i := range work {
				f(i, stores[g%handles])
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	group.Wait()
}

func TestManyUsersSavedAtOnceAreAllListedAndNoneTwice(t *testing.T) {
	const users = 400
	a := newAccount(t, awssm.Options{})
	ids := make([]string, users)
	a.atOnce(users, func(i int, store *tokenkeep.SecretStore) {
		saved, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: fmt.Sprint("user", i), ClientID: "c", RefreshToken: fmt.Sprint("r", i)})
		if err != nil {
			t.Error(err)
		}
		ids[i] = saved.ID
	})
	tokens, err := a.sound().GetTokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, token := range tokens {
		listed[token.UserName] = token.ID
	}
	if len(tokens) != users || len(listed) != users {
		t.Errorf("%d tokens of %d users are listed; want %d of %d", len(tokens), len(listed), users, users)
	}
	for i, id := range ids {
		if user := fmt.Sprint("user", i); listed[user] != id {
			t.Errorf("the token of %s is listed as %q; want %q, as it was saved", user, listed[user], id)
		}
	}
	secrets := slices.DeleteFunc(a.secrets(), func(name string) bool { return strings.HasPrefix(name, "i_r") })
	if len(secrets) != users {
		t.Errorf("%d secrets of %d tokens", len(secrets), users)
	}
	t.Logf("the index has %d versions after %d saves; calls: %v", a.versions("i_r"), users, a.server.Calls())
}

func TestFirstSavesOfOneUserAtOnceMakeOneToken(t *testing.T) {
	const saves = 32
	a := newAccount(t, awssm.Options{})
	ids := make([]string, saves)
	a.atOnce(saves, func(i int, store *tokenkeep.SecretStore) {
		saved, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", Extra: map[string]string{fmt.Sprint(i): "x"}, AccessToken: "a"})
		if err != nil {
			t.Error(err)
		}
		ids[i] = saved.ID
	})
	tokens, err := a.sound().GetTokens(t.Context())
	if err != nil || len(tokens) != 1 {
		t.Fatalf("%d tokens, error %v; want 1", len(tokens), err)
	}
	for i, id := range ids {
		if id != tokens[0].ID {
			t.Errorf("save %d was answered with the token %q; want %q", i, id, tokens[0].ID)
		}
	}
	if n := len(tokens[0].Extra); n != saves {
		t.Errorf("the token has the fields of %d saves; want %d", n, saves)
	}
	if n := len(a.secrets()); n != 2 {
		t.Errorf("%d secrets; want the token and the index", n)
	}
	t.Logf("the index has %d versions; calls: %v", a.versions("i_r"), a.server.Calls())
}
