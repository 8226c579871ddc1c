package awssm_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
)

// make creates a secret by its full name, as somebody else would.
func (b bench) make(t *testing.T, full string) {
	t.Helper()
	_, err := b.direct.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(full), SecretString: aws.String("x")})
	if err != nil {
		t.Fatal(err)
	}
}

// listed returns the names that List yields, in order.
func (b bench) listed(ctx context.Context) ([]string, error) {
	var names []string
	for name, err := range b.List(ctx) {
		if err != nil {
			return names, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

func TestAListHoldsEverythingUnderThePrefixAndNothingElse(t *testing.T) {
	for name, config := range servers {
		t.Run(name, func(t *testing.T) {
			cfg, l := ownConnections(t, config(t)), &link{}
			prefix := freshPrefix()
			b := bench{Driver: newDriver(t, linked(cfg, l), awssm.Options{Prefix: prefix}), link: l, direct: secretsmanager.NewFromConfig(cfg)}
			b.put(t, "t_p1", "one", "")
			for _, full := range []string{
				prefix, prefix + "2/t_p1", strings.ToUpper(prefix) + "/t_p1", "other/" + prefix + "/t_p1",
				prefix + "/Sub-folder/x", prefix + "/a+b=c@d.e",
			} {
				b.make(t, full)
			}
			got, err := b.listed(t.Context())
			if want := []string{"Sub-folder/x", "a+b=c@d.e", "t_p1"}; err != nil || !slices.Equal(got, want) {
				t.Errorf("List = %q, error %v; want %q", got, err, want)
			}
		})
	}
}

// An emulator may take the filter for a hint.
func TestAListTrustsNoFilter(t *testing.T) {
	b := newBench(t, awssm.Options{})
	b.put(t, "t_p1", "one", "")
	b.link.bend = func(_ string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
		return edit(send, func(body []byte) []byte {
			return []byte(strings.Replace(string(body), `"SecretList":[`, `"SecretList":[{"Name":"crm/prod2/x"},{"Name":"CRM/prod/x"},`, 1))
		})
	}
	if got, err := b.listed(t.Context()); err != nil || !slices.Equal(got, []string{"t_p1"}) {
		t.Errorf("List = %q, error %v; want only what is under the prefix", got, err)
	}
}

func TestAListOf250IsThreeCalls(t *testing.T) {
	b := newBench(t, awssm.Options{})
	for i := range 250 {
		b.make(t, fmt.Sprintf("crm/prod/t_p%d", i))
		b.make(t, fmt.Sprintf("crm/other/t_p%d", i))
	}
	var got []string
	b.calls(t, "List", 3, func() {
		var err error
		if got, err = b.listed(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if n := len(slices.Compact(got)); n != 250 || len(got) != 250 {
		t.Errorf("List yielded %d names, %d different ones; want 250", len(got), n)
	}
	b.calls(t, "a list left at its first name", 1, func() {
		for range b.List(t.Context()) {
			break
		}
	})
}

// A secret that is deleted and created while a list is read comes again on a later page.
func TestANameIsListedOnce(t *testing.T) {
	b := newBench(t, awssm.Options{})
	for i := range 100 {
		b.make(t, fmt.Sprintf("crm/prod/t_p%d", i))
	}
	b.make(t, "crm/prod/last")
	b.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		if n == 2 {
			b.deleteForGood(t, "t_p0")
			b.make(t, "crm/prod/t_p0")
		}
		return send()
	}
	got, err := b.listed(t.Context())
	if n := len(slices.Compact(slices.Clone(got))); err != nil || len(got) != n || n != 101 {
		t.Errorf("List yielded %d names, %d different ones, error %v; want 101", len(got), n, err)
	}
}

func TestDeletedSecretsAndTombstonesAreNotListed(t *testing.T) {
	for _, twoStep := range []bool{false, true} {
		onServers(t, awssm.Options{RecoveryWindow: 7, TwoStep: twoStep}, func(t *testing.T, b bench) {
			b.put(t, "live", "one", "")
			b.put(t, "scheduled", "one", "")
			b.put(t, "restored", "one", "")
			b.remove(t, "scheduled")
			b.remove(t, "restored")
			b.restoreByHand(t, "restored")
			if got, err := b.listed(t.Context()); err != nil || !slices.Equal(got, []string{"live"}) {
				t.Errorf("List = %q, error %v; want the live secret only", got, err)
			}
		})
	}
}

func TestErrorsOfAList(t *testing.T) {
	tests := []struct {
		code string
		want error
		says string
	}{
		{"AccessDeniedException", driver.ErrPermission, "allow secretsmanager:ListSecrets on *"},
		{"ThrottlingException", driver.ErrUnavailable, "throttled"},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			b := newBench(t, awssm.Options{})
			for i := range 150 {
				b.make(t, fmt.Sprintf("crm/prod/t_p%d", i))
			}
			b.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
				if n > 1 {
					return refuse(tt.code, "no")
				}
				return send()
			}
			got, err := b.listed(t.Context())
			refused(t, "List", err, tt.want, "ListSecrets", tt.says)
			if len(got) != 100 {
				t.Errorf("List yielded %d names before the error; want the 100 of the first page", len(got))
			}
		})
	}
}

func TestAListLagsAsDocumented(t *testing.T) {
	if lag := newBench(t, awssm.Options{}).Lag(); lag != 5*time.Minute {
		t.Errorf("Lag = %v; want 5 minutes", lag)
	}
}
