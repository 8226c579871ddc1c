package localstack_test

import (
	"strings"
	"testing"
)

// A member that may be left out has a least length where it is there.
func TestOptionalMembersAreNotEmptyAndNotTooLong(t *testing.T) {
	tests := []struct{ action, member, ok, short, long string }{
		{"GetSecretValue", "VersionId", v1, v1[:31], strings.Repeat("v", 65)},
		{"GetSecretValue", "VersionStage", "AWSCURRENT", "", strings.Repeat("v", 257)},
		{"UpdateSecretVersionStage", "RemoveFromVersionId", v1, "", strings.Repeat("v", 65)},
		{"UpdateSecretVersionStage", "MoveToVersionId", v1, "", strings.Repeat("v", 65)},
		{"ListSecrets", "NextToken", "", "", strings.Repeat("t", 4097)},
		{"ListSecretVersionIds", "NextToken", "", "", strings.Repeat("t", 4097)},
		{"BatchGetSecretValue", "NextToken", "", "", strings.Repeat("t", 4097)},
	}
	others := map[string]string{
		"UpdateSecretVersionStage": `"VersionStage": "A", `,
		"BatchGetSecretValue":      `"Filters": [{"Key": "name", "Values": ["a"]}], `,
	}
	server := startServer(t)
	post(t, server, "secretsmanager.CreateSecret", `{"Name": "a", "ClientRequestToken": "`+v1+`", "SecretString": "x"}`)
	post(t, server, "secretsmanager.UpdateSecretVersionStage", `{"SecretId": "a", "VersionStage": "A", "MoveToVersionId": "`+v1+`"}`)
	for _, tt := range tests {
		t.Run(tt.action+": "+tt.member, func(t *testing.T) {
			answer := func(value string) string {
				got := post(t, server, "secretsmanager."+tt.action, `{"SecretId": "a", `+others[tt.action]+`"`+tt.member+`": `+value+`}`)
				return got.header.Get("x-amzn-ErrorType")
			}
			for _, value := range []string{tt.short, tt.long} {
				if got := answer(`"` + value + `"`); got != "ValidationException" {
					t.Errorf("%d characters: %q; want ValidationException", len(value), got)
				}
			}
			if tt.ok != "" {
				if got := answer(`"` + tt.ok + `"`); got != "" {
					t.Errorf("%q: %q; want success", tt.ok, got)
				}
			}
			if got := answer("null"); got == "ValidationException" {
				t.Errorf("null: %q; want it left out", got)
			}
		})
	}
}
