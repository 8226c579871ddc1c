package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/localstack"
)

func newDemo(g *global) *cobra.Command {
	var endpoint string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the life of tokens in AWS Secrets Manager",
		Long: `demo saves, finds, updates, refreshes, lists and deletes tokens of made-up users, as programs that share them do, and shows
how many calls each step makes. It needs no account: AWS Secrets Manager is played by a server inside this process or, with
--endpoint, by LocalStack, moto or another one; the provider that refreshes a token is always inside this process.

All secrets lie under a prefix that is new in each run, and are deleted at the end.`,
		Example: `  tokenkeep demo
  tokenkeep demo --endpoint http://127.0.0.1:4566`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			if g.json {
				out = io.Discard
			}
			told, err := runDemo(cmd.Context(), out, endpoint)
			if !g.json || told.Server == "" {
				return err
			}
			return errors.Join(err, g.print(cmd, told, nil))
		},
	}
	cmd.Flags().StringVar(&endpoint, "endpoint", "",
		"`URL` of a Secrets Manager to use; AWS_REGION and AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY count where they are set")
	return cmd
}

// demo is one run.
type demo struct {
	out    io.Writer
	cfg    aws.Config // past the wire
	wire   *wire
	prefix string

	told   story
	saved  map[string]tokenkeep.Token // what must be stored, by the names that the tokens have in the demo
	reader *tokenkeep.SecretStore     // a handle that begins after the first saves
}

// story is what a demo did, for programs.
type story struct {
	Server string     `json:"server"`
	Prefix string     `json:"prefix"`
	Steps  []toldStep `json:"steps"`
}

type toldStep struct {
	Title   string         `json:"title"`
	Details []string       `json:"details"`
	Calls   map[string]int `json:"calls"`
}

func runDemo(ctx context.Context, out io.Writer, endpoint string) (story, error) {
	where := "a Secrets Manager inside this process, "
	var cfg aws.Config
	if endpoint != "" {
		var err error
		if cfg, err = localstack.ConfigFor(endpoint); err != nil {
			return story{}, fmt.Errorf("--endpoint: %w", err)
		}
		where = "the Secrets Manager at "
	} else {
		server, err := localstack.Start()
		if err != nil {
			return story{}, err
		}
		defer server.Close()
		cfg = server.Config()
	}
	transport := awshttp.NewBuildableClient().GetTransport()
	transport.ResponseHeaderTimeout = 10 * time.Second
	defer transport.CloseIdleConnections()
	cfg.HTTPClient = &http.Client{Transport: transport}
	d := &demo{
		out: out, cfg: cfg, wire: &wire{next: transport, calls: map[string]int{}},
		prefix: "tokenkeep-demo/" + strings.ToLower(rand.Text()), saved: map[string]tokenkeep.Token{},
	}
	d.told = story{Server: aws.ToString(cfg.BaseEndpoint), Prefix: d.prefix, Steps: []toldStep{}}
	d.printf("tokenkeep on %s%s\nEvery secret is called %s/…\n", where, d.told.Server, d.prefix)
	err := d.steps(ctx)
	if err != nil && ctx.Err() != nil {
		err = errors.New("demo: interrupted")
	}
	if d.wire.end() {
		err = errors.Join(err, d.cleanUp(ctx))
	}
	if err == nil {
		d.printf("\nEvery step did what it says.\n")
	}
	return d.told, err
}

func (d *demo) printf(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format, args...) }

// handle returns a new handle, as a program that has just started has one.
func (d *demo) handle() (*tokenkeep.SecretStore, error) {
	return awssm.NewStore(d.client(), awssm.Options{Prefix: d.prefix})
}

// client returns a client whose calls count.
func (d *demo) client() *secretsmanager.Client {
	cfg := d.cfg.Copy()
	cfg.HTTPClient = &http.Client{Transport: d.wire}
	return secretsmanager.NewFromConfig(cfg)
}

// step is a part of the demo. The calls of do are counted; check proves what it did and says what there is to see.
type step struct {
	title string
	do    func(ctx context.Context) error
	check func(ctx context.Context) (details []string, err error)
}

// steps does one step after the other, until one does not do what it says.
func (d *demo) steps(ctx context.Context) error {
	for i, s := range d.script() {
		d.wire.take()
		err := s.do(ctx)
		calls := d.wire.take()
		var details []string
		if err == nil {
			details, err = s.check(ctx)
		}
		if err != nil {
			return fmt.Errorf("demo: step %d, %s: %v", i+1, s.title, err) // no %w: exit status 1, whatever went wrong
		}
		d.told.Steps = append(d.told.Steps, toldStep{s.title, append([]string{}, details...), calls})
		d.printf("\n%d. %s\n", i+1, s.title)
		for _, line := range details {
			d.printf("     %s\n", line)
		}
		d.printf("   %s\n", summary(calls))
	}
	return nil
}

// cleanUp deletes all secrets of this run, also after ctx has ended.
func (d *demo) cleanUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	client := secretsmanager.NewFromConfig(d.cfg)
	names, err := d.secrets(ctx, client)
	for _, name := range names {
		if err != nil {
			break
		}
		in := &secretsmanager.DeleteSecretInput{SecretId: aws.String(d.prefix + "/" + name), ForceDeleteWithoutRecovery: aws.Bool(true)}
		_, err = client.DeleteSecret(ctx, in)
	}
	if err != nil {
		return fmt.Errorf("demo: clean up: expected to delete the secrets under %s, which may be left: %v", d.prefix, err)
	}
	d.printf("\nCleaned up what was left: %s\n", strings.Join(names, ", "))
	return nil
}

// secrets returns the names of the secrets of this run, without the prefix.
func (d *demo) secrets(ctx context.Context, client *secretsmanager.Client) ([]string, error) {
	var names []string
	pages := secretsmanager.NewListSecretsPaginator(client, &secretsmanager.ListSecretsInput{
		Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{d.prefix + "/"}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, secret := range page.SecretList {
			if name, ok := strings.CutPrefix(aws.ToString(secret.Name), d.prefix+"/"); ok {
				names = append(names, name)
			}
		}
	}
	return names, nil
}
