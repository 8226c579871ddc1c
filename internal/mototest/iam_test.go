package mototest

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// ownClient has connections that end with the test.
func ownClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestAUserMayDoWhatThePolicySays(t *testing.T) {
	server := StartIAM(t)
	if server.URL == Start(t) {
		t.Fatal("the server that checks policies is the one of all tests")
	}
	key, secret := server.User(t, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["secretsmanager:ListSecrets"], "Resource": ["*"]}]}`)
	for _, tt := range []struct {
		name, secret      string
		listing, creating bool
	}{
		{"the user", secret, true, false},
		{"somebody with a wrong key", secret + "x", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := secretsmanager.New(secretsmanager.Options{
				Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
				Credentials: credentials.NewStaticCredentialsProvider(key, tt.secret, ""), HTTPClient: ownClient(t),
			})
			if _, err := client.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{}); (err == nil) != tt.listing {
				t.Errorf("ListSecrets: error %v; want success %v", err, tt.listing)
			}
			if _, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("a")}); (err == nil) != tt.creating {
				t.Errorf("CreateSecret: error %v; want success %v", err, tt.creating)
			}
		})
	}
}
