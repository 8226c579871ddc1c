package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/internal/mototest"
	"github.com/tokenkeep/tokenkeep/localstack"
)

// changing is what differs between two runs of the demo: where it ran, its prefix, and the calls of programs that get in
// each other's way.
var changing = []struct{ pattern, text string }{
	{`on (a|the) Secrets Manager .*`, "on SERVER"},
	{`tokenkeep-demo/[a-z0-9]{26}/`, "PREFIX/"},
	{`(?m)^   \d+ calls: (BatchGetSecretValue \d+, )?CreateSecret .*`, "   CALLS"},
	{`(?m)^   \d+ calls: GetSecretValue \d+, PutSecretValue \d+$`, "   CALLS"},
}

// transcribed checks that the demo did all of its steps.
func transcribed(t *testing.T, got output) {
	t.Helper()
	want, err := os.ReadFile("testdata/demo.txt")
	if err != nil {
		t.Fatal(err)
	}
	text := got.stdout
	for _, c := range changing {
		text = regexp.MustCompile(c.pattern).ReplaceAllString(text, c.text)
	}
	if got.status != 0 || got.stderr != "" || text != string(want) {
		t.Errorf("status %d, on stderr %q, and\n%s; want 0, nothing, and\n%s", got.status, got.stderr, text, want)
	}
	secretless(t, got)
}

// secretless checks that no credential is printed.
func secretless(t *testing.T, got output) {
	t.Helper()
	for _, token := range firstLogins() {
		for _, credential := range []string{token.ClientSecret, token.GrantToken, token.RefreshToken, token.AccessToken, "not-to-be-shown"} {
			if credential != "" && strings.Contains(got.stdout+got.stderr, credential) {
				t.Errorf("the credential %q is printed:\n%s%s", credential, got.stdout, got.stderr)
			}
		}
	}
}

func TestTheDemoShowsTheLifeOfTokens(t *testing.T) { transcribed(t, command(t, "demo")) }

func TestTheDemoOnMoto(t *testing.T) {
	url := mototest.Start(t)
	transcribed(t, command(t, "demo", "--endpoint", url))
	empty(t, url)
}

func TestTheDemoLeavesOtherSecretsAlone(t *testing.T) {
	server := startServer(t)
	client := secretsmanager.NewFromConfig(server.Config())
	in := &secretsmanager.CreateSecretInput{Name: aws.String("tokenkeep-demo/other"), SecretString: aws.String("x")}
	if _, err := client.CreateSecret(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	transcribed(t, command(t, "demo", "--endpoint", server.URL))
	if names := left(t, server.URL); len(names) != 1 || names[0] != "tokenkeep-demo/other" {
		t.Errorf("the secrets %q are left; want the one that was there before", names)
	}
}

func startServer(t *testing.T) *localstack.Server {
	t.Helper()
	server, err := localstack.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// left returns the names of the secrets on a server.
func left(t *testing.T, url string) []string {
	t.Helper()
	cfg, err := localstack.ConfigFor(url)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	cfg.HTTPClient = &http.Client{Transport: transport}
	out, err := secretsmanager.NewFromConfig(cfg).ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, secret := range out.SecretList {
		names = append(names, aws.ToString(secret.Name))
	}
	return names
}

func empty(t *testing.T, url string) {
	t.Helper()
	if names := left(t, url); len(names) != 0 {
		t.Errorf("the secrets %q are left; want none", names)
	}
}

// request is one that comes to a server that does not do what it should.
type request struct {
	action string
	n      int // how many of this action there have been, with this one
	body   []byte
}

// parameter returns a parameter of the request.
func (r request) parameter(name string) string {
	var parameters map[string]any
	if json.Unmarshal(r.body, &parameters) != nil {
		return ""
	}
	text, _ := parameters[name].(string)
	return text
}

// askew is a server in front of a sound one. answer is a status and body in place of the sound one's, or 0.
func askew(t *testing.T, answer func(request) (int, string)) (url string, sound *localstack.Server) {
	t.Helper()
	sound = startServer(t)
	var mu sync.Mutex
	counts := map[string]int{}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, incoming *http.Request) {
		body, err := io.ReadAll(incoming.Body)
		if err != nil {
			return
		}
		_, action, _ := strings.Cut(incoming.Header.Get("X-Amz-Target"), ".")
		mu.Lock()
		counts[action]++
		r := request{action, counts[action], body}
		mu.Unlock()
		if status, text := answer(r); status != 0 {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
			return
		}
		onward, err := http.NewRequestWithContext(incoming.Context(), http.MethodPost, sound.URL, strings.NewReader(string(body)))
		if err != nil {
			return
		}
		onward.Header = incoming.Header.Clone()
		response, err := transport.RoundTrip(onward)
		if err != nil {
			return
		}
		defer func() { _ = response.Body.Close() }()
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	}))
	t.Cleanup(front.Close)
	return front.URL, sound
}

const denial = `{"__type": "AccessDeniedException", "Message": "not you"}`

func TestAStepThatDoesNotDoWhatItSaysEndsTheDemo(t *testing.T) {
	t.Parallel() // it mostly waits
	tests := []struct {
		name   string
		answer func(request) (int, string)
		says   []string // a line each
		litter bool     // the clean-up cannot work
	}{
		{"nothing is allowed", func(request) (int, string) { return 400, denial },
			[]string{"demo: step 1, two programs save the tokens of 4 users at once, and both of them dan's: expected 6 saves to succeed: save token"}, false},
		{"an update is acknowledged and dropped", func(r request) (int, string) {
			if r.action != "PutSecretValue" || !strings.Contains(r.parameter("SecretId"), "/t_") {
				return 0, ""
			}
			return 200, fmt.Sprintf(`{"ARN": %q, "VersionId": %q}`, r.parameter("SecretId"), r.parameter("ClientRequestToken"))
		}, []string{"demo: step 9, ann logs in again: her new refresh and access token are saved: expected Token{"}, false},
		{"leases are acknowledged and dropped", func(r request) (int, string) {
			if r.action != "PutSecretValue" || !strings.Contains(r.parameter("SecretId"), "/t_pcg3mqts1ec82hnnqs4embjsk") {
				return 0, ""
			}
			return 200, fmt.Sprintf(`{"ARN": %q, "VersionId": %q}`, r.parameter("SecretId"), r.parameter("ClientRequestToken"))
		}, []string{"demo: step 11, cid's access token has expired, and 20 instances of a function need it at the same moment: expected 1 refresh, got "}, false},
		{"a list leaves everything out", func(r request) (int, string) {
			if r.action != "ListSecrets" || r.n > 1 {
				return 0, ""
			}
			return 200, `{"SecretList": []}`
		}, []string{"demo: step 13, this is where they lie: a secret for each token, and the index: expected 6 secrets, got []"}, false},
		{"a delete is acknowledged and dropped", func(r request) (int, string) {
			if r.action != "DeleteSecret" || r.n > 1 {
				return 0, ""
			}
			return 200, `{}`
		}, []string{"demo: step 14, dan's token is deleted, with all its versions: expected the error ErrNotFound for dan"}, false},
		{"deletes are not allowed", func(r request) (int, string) {
			if r.action != "DeleteSecret" {
				return 0, ""
			}
			return 400, denial
		}, []string{"demo: step 14, dan's token is deleted, with all its versions: expected the delete to succeed: delete token",
			"demo: clean up: expected to delete the secrets under tokenkeep-demo/"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, sound := askew(t, tt.answer)
			got := command(t, "demo", "--endpoint", url)
			lines := strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n")
			if got.status != 1 || len(lines) != len(tt.says) {
				t.Fatalf("status %d, on stderr\n%s; want 1 and %d lines", got.status, got.stderr, len(tt.says))
			}
			for i, says := range tt.says {
				if !strings.HasPrefix(lines[i], "tokenkeep: "+says) {
					t.Errorf("on stderr %q; want %q", lines[i], says)
				}
			}
			secretless(t, got)
			if !tt.litter {
				empty(t, sound.URL)
			}
		})
	}
}

func TestADemoThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()       // it mostly waits
	const abreast = 20 // a step of the demo waits, and one run after the other would take a minute
	for first := 1; ; first += 2 * abreast {
		statuses := make([]int, abreast)
		var servers []*localstack.Server
		var group sync.WaitGroup
		for i := range abreast {
			n := first + 2*i
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var requests atomic.Int32
			url, sound := askew(t, func(request) (int, string) {
				if requests.Add(1) == int32(n) {
					cancel()
				}
				return 0, ""
			})
			group.Go(func() {
				var stdout, stderr strings.Builder
				statuses[i] = run(ctx, []string{"demo", "--endpoint", url}, &stdout, &stderr)
				if want := "tokenkeep: demo: interrupted\n"; statuses[i] != 0 && stderr.String() != want {
					t.Errorf("interrupted at request %d: on stderr %q; want %q", n, stderr.String(), want)
				}
			})
			servers = append(servers, sound)
		}
		group.Wait()
		for _, server := range servers {
			empty(t, server.URL)
		}
		if i := slices.Index(statuses, 0); i >= 0 { // the n-th request was one of the clean-up, or there was none
			if n := first + 2*i; n < 60 {
				t.Errorf("interrupted at request %d, the demo succeeded", n)
			}
			return
		}
	}
}

// Here the program is a process of its own, and gets the signal of a Ctrl-C.
func TestCtrlCEndsTheDemo(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("left out: this system has no signal that a test could send")
	}
	started := make(chan *os.Process, 1)
	url, sound := askew(t, func(r request) (int, string) {
		if r.action == "PutSecretValue" && r.n == 1 {
			_ = (<-started).Signal(os.Interrupt) // if it fails, the demo succeeds
		}
		return 0, ""
	})
	program := exec.CommandContext(t.Context(), os.Args[0], "demo", "--endpoint", url)
	program.Env = append(os.Environ(), asProgram+"=1")
	var stderr strings.Builder
	program.Stderr = &stderr
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	started <- program.Process
	var exit *exec.ExitError
	if err := program.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 || stderr.String() != "tokenkeep: demo: interrupted\n" {
		t.Errorf("%v, on stderr %q; want exit status 1 and that it was interrupted", err, stderr.String())
	}
	empty(t, sound.URL)
}
