package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
	"github.com/tokenkeep/tokenkeep/zoho"
)

const secretVariable = "TOKENKEEP_CLIENT_SECRET"

func newLogin(g *global) *cobra.Command {
	var o loginFlags
	cmd := &cobra.Command{
		Use:   "login --client ID",
		Short: "Log in to Zoho and save the token",
		Long: `login lets a person log in to Zoho with a browser, saves the token, and prints it without its credentials. The token is named
after its user, where ZohoCRM.users.READ is among the scopes, or by --user. The one that the user had in the store is
replaced, and lives on at Zoho: "tokenkeep delete --revoke" ends it before.

The client secret is the environment variable ` + secretVariable + ` or, where that is not set, the first line of stdin; the
secret is no argument, since anybody can list those.

With --grant there is no browser: a grant token that Zoho's API console generated for a self client is exchanged at once. It
is in a file, or the next line of stdin.

A token that the store does not take is revoked again. Exit status 1 says also that the person did not agree or did not come
back, or that Zoho does not take the client; 5 says that the grant token is spent, and a new one is needed.` + storeHelp,
		Example: `  tokenkeep login --client 1000.X --data-center eu --scope ZohoCRM.modules.ALL,ZohoCRM.users.READ \
    --redirect-url http://localhost:8085/callback
  tokenkeep login --client 1000.X --data-center eu --user crm-export --grant grant.txt < secret.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := o.options(cmd)
			if err != nil {
				return err
			}
			return g.with(cmd.Context(), func(store storeurl.Store) error { return g.login(cmd, store, options, o) })
		},
	}
	o.add(cmd)
	return cmd
}

// loginFlags are the flags of a login.
type loginFlags struct {
	client, user, redirectURL string
	scopes                    []string
	location                  string
	sandbox, developer        bool
	accountsURL, apiDomain    string
	noBrowser                 bool
	grant                     string
	timeout                   time.Duration
}

func (o *loginFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.client, "client", "", "`ID` of the client")
	flags.StringSliceVar(&o.scopes, "scope", nil, "`scopes` to ask for, such as ZohoCRM.modules.ALL; with --grant they are only noted")
	flags.StringVar(&o.location, "data-center", "us", "`location` of the client: "+locations())
	flags.BoolVar(&o.sandbox, "sandbox", false, "the token is for a sandbox")
	flags.BoolVar(&o.developer, "developer", false, "the token is for a developer organisation")
	flags.StringVar(&o.accountsURL, "accounts-url", "", "`URL` of the accounts server of another data center")
	flags.StringVar(&o.apiDomain, "api-domain", "", "`URL` of the API of another data center, if its accounts server does not tell")
	flags.StringVar(&o.redirectURL, "redirect-url", "", "`URL` on this machine that is registered for the client, to the letter; "+
		"port 0 is a free one (default http://127.0.0.1:0/callback)")
	flags.StringVar(&o.user, "user", "", "`name` of the token instead of the user's e-mail address")
	flags.BoolVar(&o.noBrowser, "no-browser", false, "only print the address to open, for a browser that is told by hand")
	flags.StringVar(&o.grant, "grant", "", "`file` with the grant token of a self client; - is stdin")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "`time` to wait for the person")
	cobra.CheckErr(cmd.MarkFlagRequired("client"))
	for _, other := range []string{"data-center", "sandbox", "developer"} {
		cmd.MarkFlagsMutuallyExclusive("accounts-url", other)
	}
	cmd.MarkFlagsMutuallyExclusive("sandbox", "developer")
	cmd.MarkFlagsMutuallyExclusive("grant", "no-browser")
}

// options checks the flags. What it returns has no client secret.
func (o *loginFlags) options(cmd *cobra.Command) (zoho.LoginOptions, error) {
	d, err := o.dataCenter()
	switch {
	case err != nil:
		return zoho.LoginOptions{}, err
	case o.client == "":
		return zoho.LoginOptions{}, usage("--client is empty")
	case o.grant == "" && len(o.scopes) == 0:
		return zoho.LoginOptions{}, usage("name what the token is to be good for by --scope")
	case o.timeout <= 0:
		return zoho.LoginOptions{}, usage("--timeout leaves no time")
	}
	return zoho.LoginOptions{
		ClientID: o.client, Scopes: o.scopes, DataCenter: d, RedirectURL: o.redirectURL, UserName: o.user,
		OpenBrowser: browserOpener(cmd.ErrOrStderr(), !o.noBrowser),
	}, nil
}

func (o *loginFlags) dataCenter() (zoho.DataCenter, error) {
	if o.accountsURL != "" {
		return zoho.DataCenter{AccountsURL: o.accountsURL, APIDomain: o.apiDomain}, nil
	}
	d, isKnown := zoho.DataCenterByLocation(o.location)
	switch {
	case o.apiDomain != "":
		return d, usage("--api-domain is for a data center that --accounts-url names")
	case !isKnown:
		return d, usage("--data-center %q is none of %s; another one is named by --accounts-url", o.location, locations())
	case o.sandbox:
		d = d.Sandbox()
	case o.developer:
		d = d.Developer()
	}
	return d, nil
}

// locations names the data centers that are known.
func locations() string {
	var names []string
	for _, d := range zoho.DataCenters() {
		names = append(names, strings.ToLower(d.Name))
	}
	return strings.Join(names, ", ")
}

func (g *global) login(cmd *cobra.Command, store tokenkeep.Store, options zoho.LoginOptions, o loginFlags) error {
	input := newSecretLines(cmd)
	var err error
	if options.ClientSecret, err = clientSecret(cmd.Context(), input); err != nil {
		return err
	}
	grant := ""
	if o.grant != "" {
		if grant, err = grantToken(cmd.Context(), input, o.grant); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
	defer cancel()
	var t tokenkeep.Token
	if o.grant != "" {
		t, err = zoho.LoginWithGrant(ctx, store, options, grant)
	} else {
		t, err = zoho.Login(ctx, store, options)
	}
	if err != nil && t.RefreshToken != "" {
		t, err = keepOrRevoke(cmd.Context(), store, t, err)
	}
	switch {
	case err == nil:
		return g.show(cmd, t, false)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w; --timeout is %v", err, o.timeout)
	}
	return err
}

// clientSecret returns the secret of the client, from the environment or else from stdin.
func clientSecret(ctx context.Context, stdin *secretLines) (string, error) {
	if secret := os.Getenv(secretVariable); secret != "" {
		return secret, nil
	}
	secret, err := stdin.next(ctx, "client secret")
	if errors.Is(err, errUsage) {
		err = fmt.Errorf("%s is not set, and %w", secretVariable, err)
	}
	return secret, err
}
