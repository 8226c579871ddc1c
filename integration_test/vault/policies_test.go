package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/storetest"
	"github.com/tokenkeep/tokenkeep/vault"
)

// login writes a policy and a role of AppRole that has nothing else, and returns a token of that role.
func login(t *testing.T, server *realvault.Instance, p vault.PolicyDocument) string {
	t.Helper()
	name, admin := strings.ReplaceAll(freshPrefix(), "/", "-"), server.Client
	if err := admin.Sys().PutPolicyWithContext(t.Context(), name, p.String()); err != nil {
		t.Fatal(err)
	}
	role := "auth/approle/role/" + name
	write := func(path string, data map[string]any) map[string]any {
		t.Helper()
		secret, err := admin.Logical().WriteWithContext(t.Context(), path, data)
		if err != nil {
			t.Fatal(err)
		}
		if secret == nil {
			return nil
		}
		return secret.Data
	}
	write(role, map[string]any{"token_policies": name, "token_no_default_policy": true})
	id, err := admin.Logical().ReadWithContext(t.Context(), role+"/role-id")
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]any{"role_id": id.Data["role_id"], "secret_id": write(role+"/secret-id", nil)["secret_id"]}
	token, err := server.NewClient(t, "").Logical().WriteWithContext(t.Context(), "auth/approle/login", in)
	if err != nil {
		t.Fatal(err)
	}
	return token.Auth.ClientToken
}

func policy(t *testing.T, job vault.Job, prefix string) vault.PolicyDocument {
	t.Helper()
	p, err := vault.Policy(job, vault.PolicyOptions{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheWritePolicyIsEnoughForAStore(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
			o := vault.Options{Prefix: freshPrefix()}
			token := login(t, server, policy(t, vault.JobWrite, o.Prefix))
			return func() tokenkeep.Store { return newStore(t, server, token, o) }
		}, storetest.Limits{})
	})
}

// work is what a job does, once with all that it may need. A warning in the log counts as an error.
type work struct {
	t       *testing.T
	server  *realvault.Instance
	prefix  string
	owner   *tokenkeep.SecretStore // may do everything
	allowed *tokenkeep.SecretStore // may do what the policy says
}

var jobs = map[vault.Job]func(w work) error{
	vault.JobRead:     work.read,
	vault.JobRefresh:  work.refresh,
	vault.JobWrite:    work.write,
	vault.JobOperator: work.operate,
}

func TestThePolicyOfEachJobIsEnoughAndNoMore(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		for job, do := range jobs {
			t.Run(string(job), func(t *testing.T) {
				if err := attempt(t, server, job, do, func(p vault.PolicyDocument) vault.PolicyDocument { return p }); err != nil {
					t.Errorf("with the whole policy: %v; want success", err)
				}
				for i, line := range policy(t, job, "PREFIX") {
					for _, capability := range line.Capabilities {
						t.Run(fmt.Sprintf("without %s on %s", capability, line.Path), func(t *testing.T) {
							err := attempt(t, server, job, do, func(p vault.PolicyDocument) vault.PolicyDocument {
								p[i].Capabilities = slices.DeleteFunc(p[i].Capabilities, func(c string) bool { return c == capability })
								return slices.DeleteFunc(p, func(p vault.PolicyPath) bool { return len(p.Capabilities) == 0 })
							})
							if !errors.Is(err, tokenkeep.ErrPermission) {
								t.Errorf("the job ends with %v; want ErrPermission", err)
							}
						})
					}
				}
			})
		}
	})
}

// attempt does a job with a changed policy.
func attempt(t *testing.T, server *realvault.Instance, job vault.Job, do func(work) error,
	change func(vault.PolicyDocument) vault.PolicyDocument,
) error {
	t.Helper()
	prefix := freshPrefix()
	var log bytes.Buffer
	o := vault.Options{Prefix: prefix, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	token := login(t, server, change(policy(t, job, prefix)))
	w := work{t, server, prefix, newStore(t, server, server.RootToken, vault.Options{Prefix: prefix}), newStore(t, server, token, o)}
	err := do(w)
	if err == nil && log.Len() > 0 {
		err = fmt.Errorf("%w: the log says %s", tokenkeep.ErrPermission, log.String())
	}
	return err
}

func (w work) save(user string) tokenkeep.Token {
	w.t.Helper()
	token, err := w.owner.SaveToken(w.t.Context(), tokenkeep.Token{UserName: user, ClientID: "client", RefreshToken: "r-" + user})
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func (w work) read() error {
	token := w.save("one")
	_, byID := w.allowed.FindTokenByID(w.t.Context(), token.ID)
	_, byUser := w.allowed.FindToken(w.t.Context(), tokenkeep.Token{UserName: "one"})
	_, all := w.allowed.GetTokens(w.t.Context())
	return errors.Join(byID, byUser, all)
}

func (w work) refresh() error {
	token := w.save("one")
	_, byUser := w.allowed.FindToken(w.t.Context(), tokenkeep.Token{UserName: "one"})
	_, update := w.allowed.UpdateToken(w.t.Context(), token.ID, func(t tokenkeep.Token) (tokenkeep.Token, error) {
		t.AccessToken = "new"
		return t, nil
	})
	return errors.Join(byUser, update)
}

func (w work) write() error {
	var errs []error
	for _, user := range []string{"one", "two"} {
		token, save := w.allowed.SaveToken(w.t.Context(), tokenkeep.Token{UserName: user, ClientID: "client", RefreshToken: "r-" + user})
		_, again := w.allowed.SaveToken(w.t.Context(), tokenkeep.Token{UserName: user, ClientID: "client", AccessToken: "a"})
		_, get := w.allowed.GetTokens(w.t.Context())
		errs = append(errs, save, again, get, w.allowed.DeleteToken(w.t.Context(), token.ID))
	}
	return errors.Join(errs...)
}

// operate repairs an index that was put back to an older state, and one that is gone.
func (w work) operate() error {
	ctx := w.t.Context()
	one := w.save("one")
	index := newDriver(w.t, w.server, w.server.RootToken, vault.Options{Prefix: w.prefix})
	before, err := index.Latest(ctx, "i_r")
	if err != nil {
		w.t.Fatal(err)
	}
	w.save("two")
	now, err := index.Latest(ctx, "i_r")
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := index.Put(ctx, "i_r", before.Payload, now.Revision); err != nil {
		w.t.Fatal(err)
	}
	verify := outcome(w.allowed.Verify(ctx))
	update := outcome(w.allowed.Repair(ctx))
	if err := w.server.Client.KVv2("secret").DeleteMetadata(ctx, w.prefix+"/i_r"); err != nil {
		w.t.Fatal(err)
	}
	create := outcome(w.allowed.Repair(ctx))
	return errors.Join(verify, update, create, w.allowed.DeleteToken(ctx, one.ID))
}

// outcome is what went wrong, findings included.
func outcome(report tokenkeep.Report, err error) error {
	errs := []error{err}
	for _, f := range report.Findings {
		if !f.Repaired {
			errs = append(errs, f.Err)
		}
	}
	return errors.Join(errs...)
}
