package vault_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/hashicorp/vault/api"
	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/oauth"
	"github.com/tokenkeep/tokenkeep/vault"
)

// childVariable holds the part of a process that a test has started.
const childVariable = "TOKENKEEP_TEST_PART"

// part is what a process is to do: wait for a line on standard input, and save tokens, or get one.
type part struct {
	Address, Token, Prefix string
	Number, Saves          int
	Provider               string // where tokens are refreshed; empty where they are saved
}

// report is what came of it.
type report struct {
	IDs    []string
	Access string
	Error  string
}

const lineReady = "ready"

// runChild is the whole life of such a process.
func runChild(text string) int {
	var p part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	store, err := p.store()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Println(lineReady)
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return 2
	}
	var r report
	if p.Provider != "" {
		r = p.refresh(store)
	} else {
		r = p.save(store)
	}
	_ = json.NewEncoder(os.Stdout).Encode(r)
	return 0
}

func (p part) store() (*tokenkeep.SecretStore, error) {
	cfg := api.DefaultConfig()
	cfg.Address = p.Address
	client, err := api.NewClient(cfg)
	if err != nil {
		return nil, err
	}
	client.SetToken(p.Token)
	return vault.NewStore(client, vault.Options{Prefix: p.Prefix})
}

// save saves tokens of as many users at once.
func (p part) save(store *tokenkeep.SecretStore) report {
	ids, errs := make([]string, p.Saves), make([]error, p.Saves)
	var saves sync.WaitGroup
	for i := range p.Saves {
		saves.Go(func() {
			user := fmt.Sprintf("user %d of process %d", i, p.Number)
			saved, err := store.SaveToken(context.Background(), tokenkeep.Token{UserName: user, ClientID: "client", RefreshToken: "r " + user})
			ids[i], errs[i] = saved.ID, err
		})
	}
	saves.Wait()
	return report{IDs: ids, Error: text(errors.Join(errs...))}
}

const userEmail = "user@example.com"

func (p part) refresh(store *tokenkeep.SecretStore) report {
	cfg := &oauth2.Config{ClientID: "client", ClientSecret: "secret", Endpoint: oauth2.Endpoint{TokenURL: p.Provider}}
	source := oauth.NewSource(store, tokenkeep.Token{UserName: userEmail}, oauth.Options{Config: cfg})
	tok, err := source.TokenContext(context.Background())
	r := report{Error: text(err)}
	if tok != nil {
		r.Access = tok.AccessToken
	}
	return r
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
