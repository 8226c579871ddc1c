package awssm_test

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
)

func TestOptionsThatAreRefused(t *testing.T) {
	many := map[string]string{}
	for i := range 51 {
		many[fmt.Sprint(i)] = "x"
	}
	with := func(change func(o *awssm.Options)) awssm.Options {
		o := awssm.Options{Prefix: "crm/prod"}
		change(&o)
		return o
	}
	tests := []struct {
		name string
		o    awssm.Options
		says string
	}{
		{"no prefix", awssm.Options{}, "Prefix is empty"},
		{"a leading slash", awssm.Options{Prefix: "/crm"}, "slash"},
		{"a trailing slash", awssm.Options{Prefix: "crm/"}, "slash"},
		{"a space", awssm.Options{Prefix: "crm prod"}, `' '`},
		{"an umlaut", awssm.Options{Prefix: "müller"}, `'ü'`},
		{"no UTF-8", awssm.Options{Prefix: "\xff"}, "refuses"},
		{"a long prefix", awssm.Options{Prefix: strings.Repeat("x", 257)}, "shorten it to 256"},
		{"a short window", with(func(o *awssm.Options) { o.RecoveryWindow = 6 }), "7 to 30"},
		{"a long window", with(func(o *awssm.Options) { o.RecoveryWindow = 31 }), "7 to 30"},
		{"a negative window", with(func(o *awssm.Options) { o.RecoveryWindow = -1 }), "7 to 30"},
		{"an empty tag key", with(func(o *awssm.Options) { o.Tags = map[string]string{"": "x"} }), "1 to 128"},
		{"a reserved tag key", with(func(o *awssm.Options) { o.Tags = map[string]string{"AWS:x": "x"} }), "reserved"},
		{"a long tag value", with(func(o *awssm.Options) { o.Tags = map[string]string{"x": strings.Repeat("é", 257)} }), "257 characters"},
		{"many tags", with(func(o *awssm.Options) { o.Tags = many }), "51 tags"},
	}
	client := secretsmanager.NewFromConfig(aws.Config{Region: "us-east-1"})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store, err := awssm.NewStore(client, tt.o)
			if store != nil || !errors.Is(err, tokenkeep.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("NewStore = %v, %v; want ErrInvalid that says %q", store, err, tt.says)
			}
		})
	}
	if _, err := awssm.NewStore(nil, awssm.Options{Prefix: "crm"}); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("NewStore of no client = %v; want ErrInvalid", err)
	}
}

func TestOptionsThatAreTaken(t *testing.T) {
	client := secretsmanager.NewFromConfig(aws.Config{Region: "us-east-1"})
	for _, prefix := range []string{"x", "crm/prod", "A-Z/a_z+0=9.x@y-", strings.Repeat("x", 256)} {
		for _, window := range []int{0, 7, 30} {
			if _, err := awssm.NewStore(client, awssm.Options{Prefix: prefix, RecoveryWindow: window}); err != nil {
				t.Errorf("NewStore with prefix %q and window %d = %v; want success", prefix, window, err)
			}
		}
	}
}

func TestNewSecretsGetTheKeyAndTheTags(t *testing.T) {
	tags := map[string]string{"team": "crm", "stage": "prod"}
	b := newBench(t, awssm.Options{KMSKeyID: "alias/tokens", Tags: tags})
	b.put(t, "a", "one", "")
	about, err := b.direct.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("crm/prod/a")})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, tag := range about.Tags {
		got[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	if aws.ToString(about.KmsKeyId) != "alias/tokens" || !maps.Equal(got, tags) {
		t.Errorf("the secret has key %q and tags %v; want %q and %v", aws.ToString(about.KmsKeyId), got, "alias/tokens", tags)
	}
}

func TestLimits(t *testing.T) {
	b := newBench(t, awssm.Options{Prefix: strings.Repeat("x", 100)})
	if want := (driver.Limits{Payload: 65536, Name: 411, WritesPerDay: 100}); b.Limits() != want {
		t.Errorf("Limits = %+v; want %+v", b.Limits(), want)
	}
}

func TestNoOtherCloudIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for pkg := range strings.Lines(string(out)) {
		for _, other := range []string{"google.golang.org/grpc", "cloud.google.com/", "github.com/hashicorp/vault", "tokenkeep/localstack"} {
			if strings.Contains(pkg, other) {
				t.Errorf("package awssm links %s", pkg)
			}
		}
	}
}
