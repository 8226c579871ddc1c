package vault_test

import (
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/doctor"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/vault"
)

// examine returns what is not OK, and the names that stay in the folder.
func examine(t *testing.T, server *realvault.Instance, token, prefix string) (notOK map[string]doctor.Finding, names []string) {
	t.Helper()
	notOK = map[string]doctor.Finding{}
	client, calls := countingClient(t, server)
	client.SetToken(token)
	secrets, err := vault.NewSecrets(client, vault.Options{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	for f := range doctor.Secrets(t.Context(), secrets) {
		t.Logf("%-8s %-15s %s", f.Verdict, f.Check, f.Detail)
		if f.Verdict != doctor.OK {
			notOK[f.Check] = f
		}
	}
	if n := strings.Count(calls.take(), ",") + 1; n > 220 {
		t.Errorf("%d calls; want about 170", n)
	}
	admin := newDriver(t, server, server.RootToken, vault.Options{Prefix: prefix})
	for name, err := range admin.(driver.Lister).List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		if n := len(readable(t, server, prefix+"/"+name, 20)); n > 0 {
			t.Errorf("%d versions of %s stay readable", n, name)
		}
	}
	return notOK, names
}

func TestTheDoctorLeavesNothingWhereItMayDoAll(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		prefix := freshPrefix()
		notOK, names := examine(t, server, server.RootToken, prefix)
		if len(notOK) > 0 || len(names) > 0 {
			t.Errorf("not ok: %v; left: %q", notOK, names)
		}
	})
}

func TestTheDoctorFindsWhichJobsAPolicyAllows(t *testing.T) {
	const ok, denied, unknown = doctor.OK, doctor.Denied, doctor.Unknown
	tests := []struct {
		job                            vault.Job
		read, refresh, write, operator doctor.Verdict
	}{
		{vault.JobRead, ok, unknown, denied, denied},
		{vault.JobRefresh, ok, unknown, denied, denied},
		{vault.JobWrite, ok, ok, ok, denied},
		{vault.JobOperator, ok, unknown, denied, unknown},
	}
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		for _, tt := range tests {
			t.Run(string(tt.job), func(t *testing.T) {
				prefix := freshPrefix()
				got, names := examine(t, server, login(t, server, policy(t, tt.job, prefix)), prefix)
				for job, want := range map[string]doctor.Verdict{"read": tt.read, "refresh": tt.refresh, "write": tt.write, "operator": tt.operator} {
					f, not := got["job "+job]
					if !not {
						f.Verdict = ok
					}
					if f.Verdict != want {
						t.Errorf("job %s is %s: %s; want %s", job, f.Verdict, f.Detail, want)
					}
				}
				for check, f := range got {
					if f.Verdict == doctor.Failed {
						t.Errorf("%s failed: %s", check, f.Detail)
					}
				}
				if tt.job != vault.JobWrite && len(names) > 0 {
					t.Errorf("%q stay", names)
				}
				for _, name := range names {
					if f := got["names"]; f.Verdict != denied || !strings.Contains(f.Detail, name) {
						t.Errorf("%s stays, and %v does not name it", name, f)
					}
				}
			})
		}
	})
}

func TestTheDoctorLeavesNoNamesWhereItMayForgetThem(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		prefix := freshPrefix()
		p := append(policy(t, vault.JobWrite, prefix), vault.PolicyPath{ // as docs/operations.md has it
			Path: "secret/metadata/" + prefix + "/t_xehnmmpbeddimas10chnm6t3fe8g*", Capabilities: []string{"read", "delete"},
		})
		notOK, names := examine(t, server, login(t, server, p), prefix)
		if _, is := notOK["names"]; is || len(names) > 0 {
			t.Errorf("%v; left: %q", notOK, names)
		}
	})
}
