package localstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
)

// endpointVariables name the environment variables that may say where a Secrets Manager is, in the order in which they
// count.
var endpointVariables = []string{"LOCALSTACK_ENDPOINT", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"}

// Store is a token store for development; [Open] makes one. Close it when it is no longer needed.
type Store struct {
	*tokenkeep.SecretStore

	// URL is where the store's Secrets Manager is. It is set by Open; don't change it.
	URL string

	close func()
}

// Open returns a token store on the Secrets Manager that LOCALSTACK_ENDPOINT names, else AWS_ENDPOINT_URL_SECRETS_MANAGER,
// else AWS_ENDPOINT_URL: LocalStack, moto, floci, or a [Server] of another process. Where none of them is set, it starts
// a server of its own, whose tokens are gone after Close. Region and credentials are those of [ConfigFor].
//
// An endpoint that is not the URL of a server is [tokenkeep.ErrInvalid], and so are options that [awssm.NewStore] refuses.
// Open makes no call: whether somebody answers at the endpoint shows at the first use of the store.
func Open(ctx context.Context, o awssm.Options) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("localstack: open: %w", err)
	}
	for _, variable := range endpointVariables {
		endpoint := os.Getenv(variable)
		if endpoint == "" {
			continue
		}
		cfg, err := config(endpoint)
		if err != nil {
			return nil, fmt.Errorf("localstack: %s: %w", variable, err)
		}
		return open(cfg, o, func() {})
	}
	server, err := Start()
	if err != nil {
		return nil, err
	}
	return open(server.Config(), o, server.Close)
}

// open returns a store on the Secrets Manager of cfg. Its Close calls end.
func open(cfg aws.Config, o awssm.Options, end func()) (*Store, error) {
	transport := awshttp.NewBuildableClient().GetTransport() // as the SDK would make it, but ours to close
	cfg.HTTPClient = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	store, err := awssm.NewStore(secretsmanager.NewFromConfig(cfg), o)
	if err != nil {
		end()
		return nil, err
	}
	return &Store{store, aws.ToString(cfg.BaseEndpoint), func() { transport.CloseIdleConnections(); end() }}, nil
}

// Close ends the store, and its server with all tokens if it has one of its own. On an endpoint the tokens stay. Closing
// a closed store does nothing; the error is always nil.
func (s *Store) Close() error {
	s.close()
	return nil
}

// ConfigFor returns a configuration for AWS clients that reaches the Secrets Manager at endpoint, an http or https URL.
// It reads no file: the region comes from AWS_REGION or AWS_DEFAULT_REGION and is us-east-1 where neither is set; the
// credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN and are dummies where one of the
// first two is missing.
//
// What is no such URL is [tokenkeep.ErrInvalid]. The error does not repeat it, since it may hold a password.
func ConfigFor(endpoint string) (aws.Config, error) {
	cfg, err := config(endpoint)
	if err != nil {
		return aws.Config{}, fmt.Errorf("localstack: %w", err)
	}
	return cfg, nil
}

func config(endpoint string) (aws.Config, error) {
	if err := checkEndpoint(endpoint); err != nil {
		return aws.Config{}, fmt.Errorf(`the endpoint %w; write it like "http://127.0.0.1:4566": %w`, err, tokenkeep.ErrInvalid)
	}
	key, secret, session := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")
	if key == "" || secret == "" {
		key, secret, session = "test", "test", ""
	}
	cfg := aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(key, secret, session),
	}
	for _, variable := range []string{"AWS_DEFAULT_REGION", "AWS_REGION"} {
		if value := os.Getenv(variable); value != "" {
			cfg.Region = value
		}
	}
	return cfg, nil
}

// checkEndpoint says what is wrong with a URL, without quoting it.
func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return errors.New("is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("has neither http:// nor https:// before its host")
	case u.Hostname() == "":
		return errors.New("has no host")
	case u.User != nil:
		return errors.New("has a user or password, which no Secrets Manager takes")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("has a query or a fragment")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("has a port that is not one of 1 to 65535")
		}
	}
	return nil
}
