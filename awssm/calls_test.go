package awssm_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
)

// documented is an operation of the tables in docs/operations.md, in one of the cases that its row is about.
type documented struct {
	row string
	budget
	n int // the N of the row
}

func documentedCalls() []documented {
	user := func(name string) tokenkeep.Token { return tokenkeep.Token{UserName: name} }
	zoe := tokenkeep.Token{ID: "26", UserName: "zoe", ClientID: "web", RefreshToken: "r-zoe"}
	signsUp := tokenkeep.Token{UserName: "zoe", ClientID: "web", RefreshToken: "r-of-zoe"} // listed in two leaves of 16
	twice := append([]tokenkeep.Token{{ID: "2", UserName: "ann", RefreshToken: "r2"}}, some...)
	window := awssm.Options{RecoveryWindow: 7}
	all := func(ctx context.Context, s *tokenkeep.SecretStore) error { return s.DeleteTokens(ctx) }

	return []documented{
		{"FindTokenByID", budget{do: finds(tokenkeep.Token{ID: "1"}, "1", "ann")}, 0},
		{"FindToken by user and client, and the domain if the token has one", budget{do: finds(tokenkeep.Token{UserName: "bob", ClientID: "web"}, "", "bob")}, 0},
		{"FindToken by user and client, and the domain if the token has one", budget{do: finds(tokenkeep.Token{UserName: "eve", ClientID: "web", APIDomain: eu.APIDomain}, "", "eve")}, 0},
		{"… of a token that was renamed, has an ID of its own, or a domain that the query leaves out", budget{do: finds(tokenkeep.Token{UserName: "ann", ClientID: "web"}, "1", "ann")}, 0},
		{"… of a token that was renamed, has an ID of its own, or a domain that the query leaves out", budget{before: saves(tokenkeep.Token{ID: "1", UserName: "anna"}), do: finds(tokenkeep.Token{UserName: "anna", ClientID: "web"}, "1", "anna")}, 0},
		{"… of a token that was renamed, has an ID of its own, or a domain that the query leaves out", budget{do: finds(tokenkeep.Token{UserName: "eve", ClientID: "web"}, "", "eve")}, 0},
		{"FindToken by user", budget{do: finds(user("ann"), "1", "ann")}, 0},
		{"FindToken by user, several fit", budget{stored: twice, do: finds(user("ann"), "2", "ann")}, 2},
		{"FindToken by the refresh or grant token of a token without a user", budget{do: finds(refresh, "", "")}, 0},
		{"FindToken by the refresh or grant token of a token without a user", budget{do: finds(grant, "", "")}, 0},
		{"FindToken by the refresh or grant token of a user's token", budget{do: finds(tokenkeep.Token{RefreshToken: "r-bob"}, "", "bob")}, 0},
		{"FindToken by the refresh or grant token of a user's token", budget{do: finds(tokenkeep.Token{GrantToken: "g-gus"}, "", "gus")}, 0},
		{"FindToken by access token", budget{stored: crowd(45), do: finds(tokenkeep.Token{AccessToken: "a7"}, "7", "user7")}, 45},
		{"FindToken, a miss by user", budget{do: misses(user("zoe"))}, 0},
		{"FindToken, a miss by user and client", budget{do: misses(tokenkeep.Token{UserName: "zoe", ClientID: "web"})}, 0},
		{"FindToken, a miss by refresh or grant token", budget{do: misses(tokenkeep.Token{RefreshToken: "r-zoe"})}, 0},
		{"SaveToken onto a token, by ID", budget{do: saves(tokenkeep.Token{ID: "1", AccessToken: "a2"})}, 0},
		{"SaveToken onto a token, by user and client", budget{do: saves(tokenkeep.Token{UserName: "bob", ClientID: "web", AccessToken: "a2"})}, 0},
		{"SaveToken onto a token, by user", budget{do: saves(tokenkeep.Token{UserName: "ann", AccessToken: "a2"})}, 0},
		{"SaveToken with a new refresh or grant token, by user and client", budget{do: saves(tokenkeep.Token{UserName: "bob", ClientID: "web", RefreshToken: "r2"})}, 0},
		{"the same by ID", budget{do: saves(tokenkeep.Token{ID: "1", RefreshToken: "r2"})}, 0},
		{"SaveToken with a new refresh or grant token, of a token without a user", budget{do: saves(tokenkeep.Token{GrantToken: "g-nobody", RefreshToken: "r2"})}, 0},
		{"SaveToken, rename", budget{do: saves(tokenkeep.Token{ID: "1", UserName: "anna"})}, 0},
		{"SaveToken, new token", budget{do: saves(signsUp)}, 0},
		{"SaveToken, new token", budget{do: saves(tokenkeep.Token{UserName: "zoe", RefreshToken: "r-of-zoe"})}, 0},
		{"SaveToken, new token with an ID of your choice", budget{do: saves(zoe)}, 0},
		{"SaveToken, new token with an access token alone", budget{stored: crowd(45), do: saves(tokenkeep.Token{AccessToken: "a"})}, 45},
		{"SaveToken, new token of a user whose token was deleted", budget{stored: append(some, zoe), before: deletes("26"), do: saves(signsUp)}, 0},
		{"SaveToken that changes nothing", budget{do: saves(bob)}, 0},
		{"UpdateToken", budget{do: touches("1")}, 0},
		{"a refresh (`RefreshToken`, package `oauth`)", budget{warmUp: finds(tokenkeep.Token{UserName: "bob", ClientID: "web"}, "", "bob"), do: refreshesOnce("1")}, 0},
		{"DeleteToken", budget{do: deletes("1")}, 0},
		{"DeleteToken with a recovery window", budget{o: window, do: deletes("1")}, 0},
		{"GetTokens, All", budget{stored: crowd(45), do: list}, 45},
		{"DeleteTokens", budget{stored: crowd(5), do: all}, 5},
	}
}

func touches(id string) act {
	return func(ctx context.Context, s *tokenkeep.SecretStore) error {
		_, err := s.UpdateToken(ctx, id, func(t tokenkeep.Token) (tokenkeep.Token, error) {
			t.AccessToken = "a2"
			return t, nil
		})
		return err
	}
}

func refreshesOnce(id string) act {
	return func(ctx context.Context, s *tokenkeep.SecretStore) error {
		_, err := s.RefreshToken(ctx, id, tokenkeep.Refresh{
			Good: func(stored tokenkeep.Token) bool { return stored.AccessToken == "a2" },
			Ask: func(context.Context, tokenkeep.Token) (tokenkeep.Token, error) {
				return tokenkeep.Token{AccessToken: "a2"}, nil
			},
		})
		return err
	}
}

// newGrownAccount is an account whose index is 17 secrets.
func newGrownAccount(t *testing.T, o awssm.Options) *account {
	t.Helper()
	a := newAccount(t, o)
	a.putIndex("", "moved")
	for _, digit := range "0123456789abcdef" {
		a.putIndex(string(digit), "leaf")
	}
	return a
}

// putIndex makes an index secret that lists nothing.
func (a *account) putIndex(path, state string) {
	a.t.Helper()
	payload := fmt.Sprintf(`{"tokenkeep": 1, "kind": "index", "path": %q, "state": %q, "nonce": "n", "entries": []}`, path, state)
	in := &secretsmanager.CreateSecretInput{Name: aws.String(a.o.Prefix + "/i_r" + path), SecretString: aws.String(payload)}
	if _, err := a.direct.CreateSecret(a.t.Context(), in); err != nil {
		a.t.Fatal(err)
	}
}

// callTables returns the two tables of docs/operations.md, for an index of 1 secret and of 17: the calls by operation, warm
// and cold.
func callTables(t *testing.T) []map[string][2]string {
	t.Helper()
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, marked, _ := strings.Cut(string(text), "<!-- calls: begin")
	marked, _, _ = strings.Cut(marked, "<!-- calls: end -->")
	var tables []map[string][2]string
	for line := range strings.Lines(marked) {
		cells := strings.Split(line, " | ")
		switch {
		case strings.HasPrefix(line, "| operation"):
			tables = append(tables, map[string][2]string{})
		case strings.HasPrefix(line, "| ") && len(tables) > 0 && len(cells) > 2:
			tables[len(tables)-1][strings.TrimPrefix(cells[0], "| ")] = [2]string{cells[1], cells[2]}
		}
	}
	if len(tables) != 2 {
		t.Fatalf("docs/operations.md has %d tables of calls, want 2", len(tables))
	}
	return tables
}

// means returns what a cell such as "w + ⌈N/20⌉" comes to.
func means(t *testing.T, cell string, n, w int) int {
	t.Helper()
	sum := 0
	for term := range strings.SplitSeq(cell, " + ") {
		switch term {
		case "w":
			sum += w
		case "N":
			sum += n
		case "⌈N/20⌉":
			sum += (n + 19) / 20
		default:
			k, err := strconv.Atoi(term)
			if err != nil {
				t.Fatalf("a cell of docs/operations.md is %q: %v", cell, err)
			}
			sum += k
		}
	}
	return sum
}

func TestTheTablesOfCallsAreWhatIsCounted(t *testing.T) {
	t.Parallel()
	tables := callTables(t)
	for i, index := range []struct {
		name       string
		account    func(*testing.T, awssm.Options) *account
		warm, cold int // the w of the tables
	}{{"an index of one secret", newAccount, 1, 1}, {"an index of 17 secrets", newGrownAccount, 1, 2}} {
		counted := map[string]bool{}
		for _, d := range documentedCalls() {
			counted[d.row] = true
			if d.stored == nil {
				d.stored = some
			}
			if d.warmUp == nil {
				d.warmUp = list
			}
			cells, ok := tables[i][d.row]
			if !ok {
				t.Errorf("docs/operations.md has no row %q for %s", d.row, index.name)
				continue
			}
			t.Run(fmt.Sprintf("%s, %s", index.name, d.row), func(t *testing.T) {
				warm, cold := d.calls(t, index.account(t, d.o), d.warmUp), d.calls(t, index.account(t, d.o), nil)
				if want := means(t, cells[0], d.n, index.warm); total(warm) != want {
					t.Errorf("warm: %d calls, %s; docs/operations.md says %q, which is %d", total(warm), written(warm), cells[0], want)
				}
				if want := means(t, cells[1], d.n, index.cold); total(cold) != want {
					t.Errorf("cold: %d calls, %s; docs/operations.md says %q, which is %d", total(cold), written(cold), cells[1], want)
				}
			})
		}
		for row := range tables[i] {
			if !counted[row] {
				t.Errorf("no test counts the calls of the row %q of docs/operations.md", row)
			}
		}
	}
}

func total(calls map[string]int) int {
	sum := 0
	for _, n := range calls {
		sum += n
	}
	return sum
}
