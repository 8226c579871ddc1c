package gcpsm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/driver/drivertest"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
	"github.com/tokenkeep/tokenkeep/storetest"
)

var (
	everyJob = []Job{JobRead, JobRefresh, JobWrite, JobOperator}
	updaters = []Job{JobRefresh, JobWrite, JobOperator}
	writers  = []Job{JobWrite, JobOperator}
	operator = []Job{JobOperator}
)

// numberedParent is regional as conditions have it.
var numberedParent = strings.Replace(regional, "demo", gcpsmtest.ProjectNumber("demo"), 1)

var startsWith = regexp.MustCompile(`resource\.name\.startsWith\("([^"]+)"\)`)

// grants are the permissions of a job, one for each permission and secrets that begin alike.
func grants(t *testing.T, job Job, o Options) []gcpsmtest.Grant {
	t.Helper()
	p, err := Policy(job, PolicyOptions{Prefix: o.Prefix, Parent: numberedParent, NoCreate: o.NoCreate})
	if err != nil {
		t.Fatal(err)
	}
	var single []gcpsmtest.Grant
	for _, role := range p {
		prefixes := []string{""}
		if role.Condition != "" {
			prefixes = nil
			for _, found := range startsWith.FindAllStringSubmatch(role.Condition, -1) {
				prefixes = append(prefixes, found[1])
			}
		}
		for _, permission := range role.Permissions {
			for _, prefix := range prefixes {
				single = append(single, gcpsmtest.Grant{Permissions: []string{permission}, ResourcePrefix: prefix})
			}
		}
	}
	return single
}

// permit names what a grant of a job allows.
func permit(g gcpsmtest.Grant, o Options) string {
	_, names, ok := strings.Cut(g.ResourcePrefix, "/secrets/"+o.Prefix+"-")
	if !ok {
		names = "project"
	}
	return strings.TrimPrefix(g.Permissions[0], "secretmanager.") + " on " + names
}

// desk is a place to do a job: the tokens of ann and bob, and a store that may do what its grants say.
type desk struct {
	server   *gcpsmtest.Server
	driver   *secrets
	store    *tokenkeep.SecretStore
	free     *tokenkeep.SecretStore // may do everything
	byHand   *secrets
	ann, bob tokenkeep.Token
}

func secretOf(user string) tokenkeep.Token {
	return tokenkeep.Token{UserName: user, ClientID: "web", RefreshToken: "r-" + user, AccessToken: "a-" + user}
}

func newDesk(t *testing.T, o Options, allowed []gcpsmtest.Grant) *desk {
	t.Helper()
	server := startServer(t)
	client := clientOf(t, server)
	d := &desk{server: server, byHand: newDriver(t, client, regional, Options{Prefix: o.Prefix})}
	d.free = tokenkeep.NewSecretStore(d.byHand, tokenkeep.Options{})
	saved, err := d.free.SaveTokens(t.Context(), []tokenkeep.Token{secretOf("ann"), secretOf("bob")})
	if err != nil {
		t.Fatal(err)
	}
	d.ann, d.bob = saved[0], saved[1]
	server.SetPermissions("worker", allowed...)
	d.driver = newDriver(t, clientAs(t, server, "worker"), regional, o)
	d.store = tokenkeep.NewSecretStore(d.driver, o.Store)
	return d
}

func (d *desk) name(token tokenkeep.Token) string { return "t_p" + token.ID }

// oneVersion checks that a secret has no other.
func (d *desk) oneVersion(name string) error {
	if got := d.server.LiveVersions(d.driver.FullName(name)); len(got) != 1 {
		return fmt.Errorf("%s has the versions %v: %w", name, got, errVersions)
	}
	return nil
}

var errVersions = errors.New("want one")

func (d *desk) update(ctx context.Context) error {
	_, err := d.store.UpdateToken(ctx, d.ann.ID, func(token tokenkeep.Token) (tokenkeep.Token, error) {
		token.AccessToken = "new"
		return token, nil
	})
	return err
}

// duty is a part of jobs.
type duty struct {
	name string
	jobs []Job
	do   func(t *testing.T, d *desk) error
}

var duties = []duty{
	{"find a token by its ID", everyJob, func(t *testing.T, d *desk) error {
		_, err := d.store.FindTokenByID(t.Context(), d.ann.ID)
		return err
	}},
	{"find a token by its user", everyJob, func(t *testing.T, d *desk) error {
		_, err := d.store.FindToken(t.Context(), tokenkeep.Token{UserName: "ann"})
		return err
	}},
	{"miss a token", everyJob, func(t *testing.T, d *desk) error {
		if _, err := d.store.FindToken(t.Context(), secretOf("eve")); !errors.Is(err, tokenkeep.ErrNotFound) {
			return fmt.Errorf("the error is %w; want ErrNotFound", err)
		}
		return nil
	}},
	{"list all tokens", everyJob, func(t *testing.T, d *desk) error {
		tokens, err := d.store.GetTokens(t.Context())
		if err == nil && len(tokens) != 2 {
			err = fmt.Errorf("%d tokens", len(tokens))
		}
		return err
	}},
	{"update a token", updaters, func(t *testing.T, d *desk) error { return d.update(t.Context()) }},
	{"update a token and leave one version", updaters, func(t *testing.T, d *desk) error {
		return errors.Join(d.update(t.Context()), d.oneVersion(d.name(d.ann)))
	}},
	{"refresh a token", updaters, func(t *testing.T, d *desk) error {
		_, err := d.store.RefreshToken(t.Context(), d.ann.ID, tokenkeep.Refresh{
			Good: func(stored tokenkeep.Token) bool { return stored.AccessToken == "refreshed" },
			Ask: func(context.Context, tokenkeep.Token) (tokenkeep.Token, error) {
				return tokenkeep.Token{AccessToken: "refreshed", ExpiresAt: time.Now().Add(time.Hour)}, nil
			},
		})
		return err
	}},
	{"save a new refresh token", writers, func(t *testing.T, d *desk) error {
		_, err := d.store.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", ClientID: "web", RefreshToken: "another"})
		return err
	}},
	{"save a new token", writers, func(t *testing.T, d *desk) error {
		_, err := d.store.SaveToken(t.Context(), secretOf("eve"))
		return err
	}},
	{"save a new token and leave one version of the index", writers, func(t *testing.T, d *desk) error {
		_, err := d.store.SaveToken(t.Context(), secretOf("eve"))
		return errors.Join(err, d.oneVersion("i_r"))
	}},
	{"delete a token", writers, func(t *testing.T, d *desk) error { return d.store.DeleteToken(t.Context(), d.ann.ID) }},
	{"delete all tokens", writers, func(t *testing.T, d *desk) error { return d.store.DeleteTokens(t.Context()) }},
	{"verify", operator, func(t *testing.T, d *desk) error {
		report, err := d.store.Verify(t.Context())
		if err == nil && (report.Tokens != 2 || !report.Scanned || len(report.Findings) > 0) {
			err = fmt.Errorf("the report is %+v", report)
		}
		return err
	}},
	{"repair a lost index", operator, func(t *testing.T, d *desk) error {
		if err := d.byHand.Delete(t.Context(), "i_r"); err != nil {
			t.Fatal(err)
		}
		_, err := d.store.Repair(t.Context())
		return err
	}},
	{"clean a token", updaters, func(t *testing.T, d *desk) error {
		if _, err := d.byHand.client.AddSecretVersion(t.Context(), &secretmanagerpb.AddSecretVersionRequest{
			Parent: d.driver.FullName(d.name(d.ann)), Payload: &secretmanagerpb.SecretPayload{Data: []byte("left over")},
		}); err != nil {
			t.Fatal(err)
		}
		d.driver.now = func() time.Time { return time.Now().Add(youngest) }
		n, err := d.driver.Clean(t.Context(), d.name(d.ann))
		if err == nil && n != 1 {
			err = fmt.Errorf("%d versions were destroyed", n)
		}
		return err
	}},
}

func TestEachJobCanBeDoneWithItsRolesAndNoOther(t *testing.T) {
	for _, job := range everyJob {
		for _, duty := range duties {
			t.Run(fmt.Sprintf("%s/%s", job, duty.name), func(t *testing.T) {
				o := Options{Prefix: freshPrefix()}
				err := duty.do(t, newDesk(t, o, grants(t, job, o)))
				switch may := slices.Contains(duty.jobs, job); {
				case may && err != nil:
					t.Errorf("error %v; want success, as this is part of the job", err)
				case !may && !errors.Is(err, tokenkeep.ErrPermission):
					t.Errorf("error %v; want ErrPermission, as this is not part of the job", err)
				}
			})
		}
	}
}

var (
	neededToRead = map[string]string{
		"secrets.get on t_":     "list all tokens",
		"secrets.get on i_":     "find a token by its user",
		"versions.access on t_": "find a token by its ID",
		"versions.access on i_": "find a token by its user",
	}
	neededToRefresh = join(neededToRead, map[string]string{
		"secrets.update on t_":   "refresh a token",
		"versions.add on t_":     "refresh a token",
		"versions.destroy on t_": "update a token and leave one version",
		"versions.list on t_":    "update a token and leave one version",
	})
	neededToWrite = join(neededToRefresh, map[string]string{
		"secrets.update on i_":      "save a new token",
		"versions.add on i_":        "save a new token",
		"versions.destroy on i_":    "save a new token and leave one version of the index",
		"versions.list on i_":       "save a new token and leave one version of the index",
		"secrets.delete on t_":      "delete a token",
		"secrets.create on project": "save a new token",
	})
	needed = map[Job]map[string]string{
		JobRead: neededToRead, JobRefresh: neededToRefresh, JobWrite: neededToWrite,
		JobOperator: join(neededToWrite, map[string]string{"secrets.list on project": "verify"}),
	}
)

func join(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func TestNoRoleAllowsMoreThanItsJobNeeds(t *testing.T) {
	for _, job := range everyJob {
		left := maps.Clone(needed[job])
		o := Options{Prefix: freshPrefix()}
		for i, g := range grants(t, job, o) {
			what := permit(g, o)
			without, ok := needed[job][what]
			if !ok {
				t.Errorf("%s: %s is allowed and not needed", job, what)
			}
			delete(left, what)
			t.Run(fmt.Sprintf("%s, without %s", job, what), func(t *testing.T) {
				at := slices.IndexFunc(duties, func(d duty) bool { return d.name == without })
				err := duties[at].do(t, newDesk(t, o, slices.Delete(grants(t, job, o), i, i+1)))
				if !errors.Is(err, tokenkeep.ErrPermission) && !errors.Is(err, errVersions) {
					t.Errorf("%s: error %v; want it to fail", without, err)
				}
			})
		}
		if len(left) > 0 {
			t.Errorf("%s: %v are needed and never allowed", job, left)
		}
	}
}

func TestBothSuitesPassWithTheRolesOfAWriter(t *testing.T) {
	server := startServer(t)
	worker := func(t *testing.T, o Options) func() *secrets {
		server.SetPermissions(o.Prefix, grants(t, JobWrite, o)...)
		client := clientAs(t, server, o.Prefix)
		return func() *secrets { return newDriver(t, client, regional, o) }
	}
	t.Run("driver", func(t *testing.T) {
		drivertest.Run(t, func(t *testing.T) func() driver.Secrets {
			handle := worker(t, Options{Prefix: freshPrefix()})
			return func() driver.Secrets { return amongTokens{handle()} }
		})
	})
	t.Run("store", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
			handle := worker(t, Options{Prefix: freshPrefix()})
			return func() tokenkeep.Store { return tokenkeep.NewSecretStore(handle(), tokenkeep.Options{}) }
		}, storetest.Limits{})
	})
}

func TestThePolicyOfAJobIsThis(t *testing.T) {
	got, err := Policy(JobOperator, PolicyOptions{Prefix: "crm", Parent: "projects/12/locations/europe-west1"})
	if err != nil {
		t.Fatal(err)
	}
	const begins = `resource.name.startsWith("projects/12/locations/europe-west1/secrets/crm-`
	want := PolicyDocument{
		{"TokensAndIndex", []string{
			"secretmanager.secrets.get", "secretmanager.versions.access", "secretmanager.secrets.update",
			"secretmanager.versions.add", "secretmanager.versions.destroy", "secretmanager.versions.list",
		}, begins + `t_") || ` + begins + `i_")`},
		{"Tokens", []string{"secretmanager.secrets.delete"}, begins + `t_")`},
		{"Project", []string{"secretmanager.secrets.create", "secretmanager.secrets.list"}, ""},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Policy =\n%v\nwant\n%v", got, want)
	}
	for _, job := range everyJob {
		p, err := Policy(job, PolicyOptions{Prefix: "crm", Parent: "projects/12", NoCreate: true})
		if text := fmt.Sprint(p); err != nil || strings.Contains(text, "secrets.create") || strings.Contains(text, "secrets.delete") {
			t.Errorf("%s, where secrets are made by somebody else: %s, %v", job, text, err)
		}
	}
}

func TestPoliciesThatCannotBe(t *testing.T) {
	o := PolicyOptions{Prefix: "crm", Parent: "projects/12"}
	tests := []struct {
		job  Job
		o    PolicyOptions
		says string
	}{
		{"", o, `the job "" is none of`},
		{"admin", o, `the job "admin"`},
		{JobRead, PolicyOptions{Parent: "projects/12"}, "Prefix is empty"},
		{JobRead, PolicyOptions{Prefix: `crm")`, Parent: "projects/12"}, "Prefix is"},
		{JobRead, PolicyOptions{Prefix: "crm"}, "PolicyOptions.Parent"},
		{JobRead, PolicyOptions{Prefix: "crm", Parent: "projects/demo"}, "the number of the project"},
	}
	for _, tt := range tests {
		p, err := Policy(tt.job, tt.o)
		if !errors.Is(err, driver.ErrInvalid) || p != nil {
			t.Errorf("Policy(%q, %v) = %v, %v; want ErrInvalid", tt.job, tt.o, p, err)
		}
		wantText(t, err, tt.says)
	}
}
