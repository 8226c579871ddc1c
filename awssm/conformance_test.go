package awssm_test

import (
	"crypto/rand"
	"flag"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/driver/drivertest"
	"github.com/tokenkeep/tokenkeep/internal/mototest"
)

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil { // most tests wait; the command line comes later and wins
		panic(err)
	}
	os.Exit(mototest.M{M: m}.Run())
}

func TestDriverOnLocalstack(t *testing.T) { conform(t, localstackConfig, awssm.Options{}) }

func TestDriverOnMoto(t *testing.T) { conform(t, motoConfig, awssm.Options{}) }

func TestDriverWithRecoveryWindowOnLocalstack(t *testing.T) {
	conform(t, localstackConfig, awssm.Options{RecoveryWindow: 7})
}

func TestDriverWithRecoveryWindowOnMoto(t *testing.T) {
	conform(t, motoConfig, awssm.Options{RecoveryWindow: 7})
}

func TestDriverInTwoStepsOnLocalstack(t *testing.T) {
	conform(t, localstackConfig, awssm.Options{TwoStep: true})
}

func TestDriverInTwoStepsOnMoto(t *testing.T) {
	conform(t, motoConfig, awssm.Options{TwoStep: true})
}

func TestDriverInTwoStepsWithRecoveryWindow(t *testing.T) {
	for name, config := range map[string]func(*testing.T) aws.Config{"localstack": localstackConfig, "moto": motoConfig} {
		t.Run(name, func(t *testing.T) { conform(t, config, awssm.Options{TwoStep: true, RecoveryWindow: 7}) })
	}
}

// Of two processes with one prefix only one may have the option set.
func TestDriverInTwoStepsBesideOneInOne(t *testing.T) {
	cfg := ownConnections(t, localstackConfig(t))
	drivertest.Run(t, func(t *testing.T) func() driver.Secrets {
		var handles atomic.Int32
		prefix := freshPrefix()
		return func() driver.Secrets {
			o := awssm.Options{Prefix: prefix, TwoStep: handles.Add(1)%2 == 0}
			return newDriver(t, secretsmanager.NewFromConfig(cfg), o)
		}
	})
}

func localstackConfig(t *testing.T) aws.Config {
	t.Helper()
	return startServer(t).Config()
}

func motoConfig(t *testing.T) aws.Config {
	t.Helper()
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(mototest.Start(t)),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// ownConnections gives clients connections that end with the test.
func ownConnections(t *testing.T, cfg aws.Config) aws.Config {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	cfg.HTTPClient = &http.Client{Transport: transport}
	return cfg
}

// conform runs the suite on a server. Each folder is a prefix of its own, and each handle a client of its own.
func conform(t *testing.T, config func(*testing.T) aws.Config, o awssm.Options) {
	cfg := ownConnections(t, config(t))
	t.Parallel() // it mostly waits
	drivertest.Run(t, func(t *testing.T) func() driver.Secrets {
		o := o
		o.Prefix = freshPrefix()
		return func() driver.Secrets { return newDriver(t, secretsmanager.NewFromConfig(cfg), o) }
	})
}

func freshPrefix() string { return "test/" + strings.ToLower(rand.Text()) }

func newDriver(t *testing.T, client awssm.Client, o awssm.Options) awssm.Driver {
	t.Helper()
	d, err := awssm.NewDriver(client, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
