package gcpsm

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
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"golang.org/x/oauth2"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
	"github.com/tokenkeep/tokenkeep/oauth"
)

// instance is a process of the test binary that gets a token as soon as its standard input ends.
type instance struct {
	Server   string // address of the Secret Manager
	Provider string // URL of the token endpoint
}

const instanceVariable = "TOKENKEEP_TEST_INSTANCE"

// run is the whole life of such a process. It prints the access token.
func (i instance) run(ctx context.Context) error {
	client, err := secretmanager.NewClient(ctx, option.WithEndpoint(i.Server), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	store, err := NewStore(client, regional, Options{Prefix: "crm"})
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	cfg := &oauth2.Config{ClientID: "web", ClientSecret: "secret", Endpoint: oauth2.Endpoint{TokenURL: i.Provider}}
	source := oauth.NewSource(store, tokenkeep.Token{UserName: "ann"}, oauth.Options{Config: cfg})
	for range patience {
		var token *oauth2.Token
		if token, err = source.TokenContext(ctx); err == nil {
			fmt.Println(token.AccessToken)
			return nil
		}
		if !errors.Is(err, tokenkeep.ErrUnavailable) && !errors.Is(err, tokenkeep.ErrNotFound) { // a read that is late
			return err
		}
	}
	return err
}

func instanceMain(text string) int {
	var i instance
	err := json.Unmarshal([]byte(text), &i)
	if err == nil {
		err = i.run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestOfTwelveOperatingSystemProcessesOneRefreshes(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string][]gcpsmtest.Option{"fresh": nil, "reads are late": {stale()}} {
		t.Run(name, func(t *testing.T) {
			server := startServer(t, opts...)
			expired := tokenkeep.Token{UserName: "ann", ClientID: "web", RefreshToken: "r"}
			saveUntilDone(t, newStore(t, clientOf(t, server), regional, Options{Prefix: "crm"}), expired)
			var asked atomic.Int64
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				n := asked.Add(1)
				w.Header().Set("Content-Type", "application/json")
				_, _ = fmt.Fprintf(w, `{"access_token": "access-%d", "refresh_token": "refresh-%d", "expires_in": 3600, "token_type": "bearer"}`, n, n)
			}))
			defer provider.Close()
			text, err := json.Marshal(instance{server.Addr, provider.URL})
			if err != nil {
				t.Fatal(err)
			}
			var processes sync.WaitGroup
			gate := make(chan struct{})
			for range 12 {
				cmd := exec.CommandContext(t.Context(), self)
				cmd.Env = append(os.Environ(), instanceVariable+"="+string(text), "GORACE=atexit_sleep_ms=0")
				cmd.Stderr = os.Stderr
				stdin, out := gated(gate), new(strings.Builder)
				cmd.Stdin, cmd.Stdout = stdin, out
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				processes.Go(func() {
					if err := cmd.Wait(); err != nil || strings.TrimSpace(out.String()) != "access-1" {
						t.Errorf("a process got %q, %v; want the one access token", out, err)
					}
				})
			}
			close(gate)
			processes.Wait()
			if asked.Load() != 1 {
				t.Errorf("the provider was asked %d times; want once", asked.Load())
			}
		})
	}
}

// gated is a reader that ends when the gate opens.
type gated chan struct{}

func (g gated) Read([]byte) (int, error) {
	<-g
	return 0, io.EOF
}
