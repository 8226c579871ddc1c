package localstack

import (
	"testing"
	"time"
)

func TestRatesAreThoseThatAWSDocuments(t *testing.T) {
	want := map[string]int{
		"BatchGetSecretValue": 100, "CreateSecret": 50, "DeleteSecret": 50, "DescribeSecret": 40_000, "GetSecretValue": 10_000,
		"ListSecrets": 100, "PutSecretValue": 50, "RestoreSecret": 50, "TagResource": 50, "UntagResource": 50, "UpdateSecret": 50,
		"UpdateSecretVersionStage": 50,
	}
	now := time.Unix(1e9, 0)
	for action := range actions {
		n := 0
		if b := newThrottle()[action]; b != nil {
			for b.take(now) {
				n++
			}
		}
		if n != want[action] {
			t.Errorf("%d of %s pass in one instant; want %d", n, action, want[action])
		}
	}
}
