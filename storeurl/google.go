package storeurl

import (
	"context"
	"fmt"
	"net"
	"os"
	"regexp"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/gcpsm"
)

// google is what follows gcpsm://, with a location or without.
var google = regexp.MustCompile(`^([a-z0-9.:-]+)/(?:([a-z]+-[a-z0-9-]+)/)?([^/]+)$`)

// googleStore is a store with its client.
type googleStore struct {
	*tokenkeep.SecretStore
	client *secretmanager.Client
}

// Close closes the client.
func (s googleStore) Close() error { return s.client.Close() }

func openGoogle(ctx context.Context, p parts) (Store, error) {
	found := google.FindStringSubmatch(p.path)
	if found == nil {
		return nil, invalid("what follows gcpsm:// is neither PROJECT/PREFIX nor PROJECT/LOCATION/PREFIX")
	}
	if err := p.only(); err != nil {
		return nil, err
	}
	project, location, prefix := found[1], found[2], found[3]
	parent := "projects/" + project
	if location != "" {
		parent += "/locations/" + location
	}
	options, err := googleOptions(location)
	if err != nil {
		return nil, err
	}
	client, err := secretmanager.NewClient(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("the client of Google Secret Manager; is GOOGLE_APPLICATION_CREDENTIALS set, or \"gcloud auth application-default "+
			"login\" done? %w", err)
	}
	store, err := gcpsm.NewStore(client, parent, gcpsm.Options{Prefix: prefix})
	if err != nil {
		_ = client.Close() // the error tells more
		return nil, err
	}
	return googleStore{store, client}, nil
}

// googleOptions returns where the manager is, and how it is reached.
func googleOptions(location string) ([]option.ClientOption, error) {
	emulator := os.Getenv("SECRET_MANAGER_EMULATOR_HOST")
	switch _, port, err := net.SplitHostPort(emulator); {
	case emulator == "" && location == "":
		return nil, nil
	case emulator == "":
		return []option.ClientOption{option.WithEndpoint("secretmanager." + location + ".rep.googleapis.com:443")}, nil
	case err != nil || port == "":
		return nil, fmt.Errorf("SECRET_MANAGER_EMULATOR_HOST is no HOST:PORT such as 127.0.0.1:8085: %w", tokenkeep.ErrInvalid)
	}
	return []option.ClientOption{
		option.WithEndpoint(emulator),
		option.WithoutAuthentication(),
		option.WithTelemetryDisabled(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}, nil
}
