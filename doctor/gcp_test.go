package doctor_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/doctor"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/gcpsm"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

const location = "projects/demo/locations/europe-west1"

func onGoogle(t *testing.T, server *gcpsmtest.Server, principal string) driver.Secrets {
	t.Helper()
	client, err := server.ClientAs(t.Context(), principal)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	store, err := gcpsm.NewStore(client, location, gcpsm.Options{Prefix: "crm-prod"})
	if err != nil {
		t.Fatal(err)
	}
	return store.Secrets()
}

func startGoogle(t *testing.T, options ...gcpsmtest.Option) *gcpsmtest.Server {
	t.Helper()
	server, err := gcpsmtest.Start(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func TestOnSecretManager(t *testing.T) {
	for name, options := range map[string][]gcpsmtest.Option{
		"with fresh reads":            nil,
		"with reads of 3 commits ago": {gcpsmtest.WithStaleness(3)},
	} {
		t.Run(name, func(t *testing.T) {
			server := startGoogle(t, options...)
			secrets := onGoogle(t, server, "owner")
			got := verdicts(t, doctor.Secrets(t.Context(), secrets))
			expect(t, got, nil)
			if options == nil {
				countOnGoogle(t, server.Calls())
			}
			nothingOnGoogle(t, server)
		})
	}
}

func countOnGoogle(t *testing.T, calls map[string]int) {
	t.Helper()
	all, writes := 0, 0
	for method, n := range calls {
		all += n
		if method != "AccessSecretVersion" && !strings.HasPrefix(method, "Get") && !strings.HasPrefix(method, "List") {
			writes += n
		}
	}
	if all > 360 || writes > 200 {
		t.Errorf("%d calls, of which %d writes; want about 290 and 150, by how the races go", all, writes)
	}
}

// nothingOnGoogle looks for secrets until late reads have caught up.
func nothingOnGoogle(t *testing.T, server *gcpsmtest.Server) {
	t.Helper()
	for name, err := range onGoogle(t, server, "another").(driver.Lister).List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if versions := server.LiveVersions(location + "/secrets/crm-prod-" + name); len(versions) > 0 {
			t.Errorf("%s is left behind with versions %v", name, versions)
		}
	}
}

func TestTheClockOfSecretManagerIsCompared(t *testing.T) {
	server := startGoogle(t, gcpsmtest.WithClock(func() time.Time { return time.Now().Add(time.Hour) }))
	got := verdicts(t, doctor.Secrets(t.Context(), onGoogle(t, server, "owner")))
	expect(t, got, map[string]doctor.Verdict{"clock": doctor.Failed})
}

var startsWith = regexp.MustCompile(`resource\.name\.startsWith\("([^"]+)"\)`)

func TestUnderThePoliciesOfSecretManager(t *testing.T) {
	numbered := strings.Replace(location, "demo", gcpsmtest.ProjectNumber("demo"), 1)
	for job, want := range map[gcpsm.Job]map[string]doctor.Verdict{
		gcpsm.JobRead:     without(underPolicy["read"], "history"),
		gcpsm.JobRefresh:  without(underPolicy["refresh"], "history"),
		gcpsm.JobWrite:    without(underPolicy["write"], "history"),
		gcpsm.JobOperator: {}, // IAM has no permission to create the index alone
	} {
		t.Run(string(job), func(t *testing.T) {
			server := startGoogle(t)
			p, err := gcpsm.Policy(job, gcpsm.PolicyOptions{Prefix: "crm-prod", Parent: numbered})
			if err != nil {
				t.Fatal(err)
			}
			var grants []gcpsmtest.Grant
			for _, role := range p {
				prefixes := []string{""}
				if role.Condition != "" {
					prefixes = nil
				}
				for _, found := range startsWith.FindAllStringSubmatch(role.Condition, -1) {
					prefixes = append(prefixes, found[1])
				}
				for _, prefix := range prefixes {
					grants = append(grants, gcpsmtest.Grant{Permissions: role.Permissions, ResourcePrefix: prefix})
				}
			}
			server.SetPermissions("program", grants...)
			expect(t, verdicts(t, doctor.Secrets(t.Context(), onGoogle(t, server, "program"))), want)
			nothingOnGoogle(t, server)
		})
	}
}
