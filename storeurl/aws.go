package storeurl

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/localstack"
)

var region = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)

func openAWS(ctx context.Context, p parts) (Store, error) {
	name, prefix, _ := strings.Cut(p.path, "/")
	if !region.MatchString(name) {
		return nil, invalid("what follows awssm:// is no region such as eu-west-1")
	}
	if err := p.only(); err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(name))
	if err != nil {
		return nil, fmt.Errorf("the AWS configuration: %w", err)
	}
	client, ok := cfg.HTTPClient.(*awshttp.BuildableClient) // with the certificates of AWS_CA_BUNDLE, if it is set
	if !ok {
		client = awshttp.NewBuildableClient()
	}
	transport := client.GetTransport() // ours to close
	cfg.HTTPClient = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	store, err := awssm.NewStore(secretsmanager.NewFromConfig(cfg), awssm.Options{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	return closer{store, transport.CloseIdleConnections}, nil
}

func openLocalstack(ctx context.Context, p parts) (Store, error) {
	if err := p.only(); err != nil {
		return nil, err
	}
	for _, variable := range []string{"LOCALSTACK_ENDPOINT", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"} {
		if os.Getenv(variable) != "" {
			store, err := localstack.Open(ctx, awssm.Options{Prefix: p.path})
			if err != nil {
				return nil, err
			}
			return store, nil
		}
	}
	return nil, fmt.Errorf("%w: %w", errNoEndpoint, tokenkeep.ErrInvalid)
}
