package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/storeurl"
)

const storeVariable = "TOKENKEEP_STORE"

const storeHelp = `

The store is one of
  awssm://REGION/PREFIX         AWS Secrets Manager, with credentials as for the AWS CLI
  gcpsm://PROJECT/[LOC/]PREFIX  Google Secret Manager, with application default credentials
  vault://HOST/PREFIX?mount=M   HashiCorp Vault or OpenBao, with VAULT_TOKEN; without HOST at VAULT_ADDR
  localstack://PREFIX           the Secrets Manager at LOCALSTACK_ENDPOINT
  file:PATH                     the CSV file of Zoho's SDKs
  sqlite:PATH                   the table of Zoho's SDKs in an SQLite file
  mysql://USER@HOST/DB          the same in MySQL or MariaDB, with MYSQL_PWD; ?table=TABLE and ?tls=true
  mem:                          an empty store in memory`

// global are the flags that all commands on a store have.
type global struct {
	store string
	json  bool
}

func (g *global) flags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&g.store, "store", "", "`URL` of the store (default $"+storeVariable+")")
	flags.BoolVar(&g.json, "json", false, "print JSON, for programs")
}

// url returns which store is meant.
func (g *global) url() (string, error) {
	url := g.store
	if url == "" {
		url = os.Getenv(storeVariable)
	}
	if url == "" {
		return "", usage("no store is named: give --store or set %s, to awssm://REGION/PREFIX for example", storeVariable)
	}
	return url, nil
}

// with opens the store for a command and closes it.
func (g *global) with(ctx context.Context, do func(store storeurl.Store) error) error {
	url, err := g.url()
	if err != nil {
		return err
	}
	store, err := storeurl.Open(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(do(store), store.Close())
}

// print writes what a command found: value as JSON, or else what text writes.
func (g *global) print(cmd *cobra.Command, value any, text func(w io.Writer) error) error {
	if !g.json {
		return text(cmd.OutOrStdout())
	}
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(value)
}

// printed returns a text that may come from anywhere as it can be written to a terminal.
func printed(text string) string {
	for _, r := range text {
		if !strconv.IsPrint(r) {
			return strconv.Quote(text)
		}
	}
	return text
}
