package awssm_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
)

// fewer reports whether to use fewer tokens: with the race detector, and where make test has not asked for all.
func fewer() bool { return raced || os.Getenv("TOKENKEEP_EXPLORE") == "" }

// signUp is the token of the i-th user, as long as such a token is.
func signUp(i int) tokenkeep.Token {
	return tokenkeep.Token{UserName: fmt.Sprintf("first.last%d@example.com", i), ClientID: "1000.X", RefreshToken: fmt.Sprintf("1000.%064x", i)}
}

// indexSecrets returns how many secrets the index is.
func (a *account) indexSecrets() int {
	a.t.Helper()
	n := 0
	for _, name := range a.secrets() {
		if strings.HasPrefix(name, "i_") {
			n++
		}
	}
	return n
}

// crowded is an account with very many tokens.
type crowded struct {
	*account
	ids     map[string]string // of the tokens that are there, by user
	size    int               // how many were saved
	deleted []int
}

// grow saves tokens until there have been size, the last ones one by one through each of the handles.
func (c *crowded) grow(size int, handles ...*tokenkeep.SecretStore) {
	c.t.Helper()
	var bulk []tokenkeep.Token
	for ; c.size < size-len(handles); c.size++ {
		bulk = append(bulk, signUp(c.size))
	}
	saved, err := handles[0].SaveTokens(c.t.Context(), bulk)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, handle := range handles {
		one, err := handle.SaveToken(c.t.Context(), signUp(c.size))
		if err != nil {
			c.t.Fatal(err)
		}
		saved = append(saved, one)
		c.size++
	}
	for _, token := range saved {
		c.ids[token.UserName] = token.ID
	}
}

// eachOf calls f for n of the tokens that were saved, evenly chosen, on several goroutines.
func (c *crowded) eachOf(n int, f func(i int)) {
	const goroutines = 8
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			for k := g; k < n; k += goroutines {
				f(k * c.size / n)
			}
		})
	}
	group.Wait()
}

// finds looks 200 tokens up in each way, through one of the handles and the next.
func (c *crowded) finds(handles ...*tokenkeep.SecretStore) {
	c.t.Helper()
	c.eachOf(200, func(i int) {
		token := signUp(i)
		id := c.ids[token.UserName]
		if id == "" {
			return
		}
		for k, query := range []tokenkeep.Token{
			{UserName: token.UserName},
			{UserName: token.UserName, ClientID: token.ClientID},
			{RefreshToken: token.RefreshToken},
			{ID: id},
		} {
			found, err := handles[(i+k)%len(handles)].FindToken(c.t.Context(), query)
			if err != nil || found.ID != id || found.UserName != token.UserName {
				c.t.Errorf("of %d, FindToken(%v) = %v, error %v; want token %q of %q", c.size, query, found, err, id, token.UserName)
			}
		}
	})
}

// lists wants exactly the tokens that are there.
func (c *crowded) lists(handles ...*tokenkeep.SecretStore) {
	c.t.Helper()
	for _, handle := range handles {
		tokens, err := handle.GetTokens(c.t.Context())
		listed := map[string]string{}
		for _, token := range tokens {
			listed[token.UserName] = token.ID
		}
		if err != nil || len(tokens) != len(listed) || !maps.Equal(listed, c.ids) {
			c.t.Errorf("of %d, GetTokens = %d tokens of %d users, error %v; want %d, each once", c.size, len(tokens), len(listed), err, len(c.ids))
		}
	}
}

// deletes deletes some tokens through the handles, and looks for all that were ever deleted through the others.
func (c *crowded) deletes(handles ...*tokenkeep.SecretStore) {
	c.t.Helper()
	for k := range 10 * len(handles) {
		i := k*c.size/(10*len(handles)) + 1
		user := signUp(i).UserName
		if c.ids[user] == "" {
			continue
		}
		if err := handles[k%len(handles)].DeleteToken(c.t.Context(), c.ids[user]); err != nil {
			c.t.Error(err)
		}
		delete(c.ids, user)
		c.deleted = append(c.deleted, i)
	}
	for k, i := range c.deleted {
		token := signUp(i)
		queries := []tokenkeep.Token{{UserName: token.UserName}, {UserName: token.UserName, ClientID: token.ClientID}}
		if k%10 == 0 {
			queries = append(queries, tokenkeep.Token{RefreshToken: token.RefreshToken}) // reads all of the index
		}
		for _, query := range queries {
			if found, err := handles[(k+1)%len(handles)].FindToken(c.t.Context(), query); !errors.Is(err, tokenkeep.ErrNotFound) {
				c.t.Errorf("of %d, a deleted token: FindToken(%v) = %v, error %v; want %v", c.size, query, found, err, tokenkeep.ErrNotFound)
			}
		}
	}
}

// The numbers are in docs/operations.md. One handle lists and finds all the time, the other one sleeps from one size to the next.
func TestAStoreOfEverySizeFindsAndListsItsTokens(t *testing.T) {
	t.Parallel()
	sizes := []struct{ tokens, index int }{{400, 1}, {1000, 17}, {6000, 17}, {8000, 177}}
	if fewer() {
		sizes = []struct{ tokens, index int }{{400, 1}, {1000, 17}, {2000, 17}}
	}
	c := crowded{account: newAccount(t, awssm.Options{}), ids: map[string]string{}}
	wakeful, sleeper := c.sound(), c.sound()
	for _, size := range sizes {
		c.grow(size.tokens, wakeful, sleeper)
		if n := c.indexSecrets(); n != size.index {
			t.Errorf("%d index secrets list %d tokens; want %d", n, size.tokens, size.index)
		}
		beginner := c.sound()
		c.finds(sleeper, wakeful, beginner)
		c.deletes(wakeful, sleeper, beginner)
		c.lists(sleeper, wakeful, c.sound())
	}
}

// The leaf has room for one more token, not for 30. While the children are made for these, another process saves that one.
func TestASaveBesideASplitIsListed(t *testing.T) {
	const users, more = 480, 30
	a := newAccount(t, awssm.Options{})
	var tokens []tokenkeep.Token
	for i := range users + more {
		tokens = append(tokens, signUp(i))
	}
	if _, err := a.sound().SaveTokens(t.Context(), tokens[:users]); err != nil {
		t.Fatal(err)
	}
	a.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "CreateSecret" && n == 1 {
			if err := saves(bob)(t.Context(), a.sound()); err != nil {
				t.Error(err)
			}
		}
		return send()
	}
	if _, err := a.handle().SaveTokens(t.Context(), tokens[users:]); err != nil {
		t.Fatal(err)
	}
	if n := a.indexSecrets(); n != 17 {
		t.Errorf("%d index secrets; want 17", n)
	}
	listed, err := a.sound().GetTokens(t.Context())
	bobs := slices.ContainsFunc(listed, func(token tokenkeep.Token) bool { return token.UserName == bob.UserName })
	if err != nil || len(listed) != users+more+1 || !bobs {
		t.Errorf("GetTokens = %d tokens, the other process's among them: %v, error %v; want %d, true", len(listed), bobs, err, users+more+1)
	}
}

// A reader finds a child of a frozen index secret absent; before it looks at the reply, another goroutine has made that child and
// moved on.
func TestASplitByTheSameHandleIsNoDamageToAReader(t *testing.T) {
	a := newAccount(t, awssm.Options{})
	a.putIndex("", "split")
	handle := a.handle()
	a.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		if op != "GetSecretValue" || n != 2 {
			return send()
		}
		response, err := send()
		if err := saves(bob)(t.Context(), handle); err != nil {
			t.Error(err)
		}
		return response, err
	}
	if err := misses(tokenkeep.Token{UserName: "zoe"})(t.Context(), handle); err != nil {
		t.Error(err)
	}
}

// acknowledged are the tokens whose saves have returned, by user.
type acknowledged struct {
	mu  sync.Mutex
	ids map[string]string
}

func (a *acknowledged) add(user, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids[user] = id
}

func (a *acknowledged) now() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.ids)
}

// reads lists, and finds some of what is listed, once for each turn.
func (a *acknowledged) reads(t *testing.T, store *tokenkeep.SecretStore, turns <-chan int) {
	for range turns {
		before := a.now()
		tokens, err := store.GetTokens(t.Context())
		if err != nil {
			t.Errorf("GetTokens: %v", err)
		}
		listed := map[string]string{}
		for _, token := range tokens {
			if listed[token.UserName] != "" {
				t.Errorf("%s has two tokens", token.UserName)
			}
			listed[token.UserName] = token.ID
		}
		finds := 10
		for user, id := range before {
			if listed[user] != id {
				t.Errorf("the token of %s is listed as %q; it was saved as %q", user, listed[user], id)
			}
			if finds--; finds < 0 {
				continue
			}
			if found, err := store.FindToken(t.Context(), tokenkeep.Token{UserName: user}); err != nil || found.ID != id {
				t.Errorf("FindToken(%s) = %v, error %v; want token %q", user, found, err, id)
			}
		}
	}
}

func TestNothingIsLostWhileTheIndexGrows(t *testing.T) {
	t.Parallel()
	const users = 1200
	a := newAccount(t, awssm.Options{})
	kept := &acknowledged{ids: map[string]string{}}
	turns, doomed := make(chan int, users), make(chan string, users)
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() { kept.reads(t, a.handle(), turns) })
	}
	deleter := a.handle()
	others.Go(func() {
		for id := range doomed {
			if err := deleter.DeleteToken(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
	})
	a.atOnce(users, func(i int, store *tokenkeep.SecretStore) {
		saved, err := store.SaveToken(t.Context(), signUp(i))
		if i%50 == 0 {
			turns <- i
		}
		switch {
		case err != nil:
			t.Error(err)
		case i%10 == 0:
			doomed <- saved.ID
		default:
			kept.add(saved.UserName, saved.ID)
		}
	})
	close(doomed)
	close(turns)
	others.Wait()
	c := crowded{account: a, ids: kept.now(), size: users}
	c.lists(a.sound(), deleter)
	c.finds(a.sound())
	if n := a.indexSecrets(); n < 17 {
		t.Errorf("%d index secrets; want 17 at least, else nothing has grown", n)
	}
	t.Logf("%d index secrets; calls: %v", a.indexSecrets(), a.server.Calls())
}
