package localstack_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/tokenkeep/tokenkeep/localstack"
)

const secretARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:"

// as returns a client of server with the credentials of a principal.
func as(t *testing.T, server *localstack.Server, accessKeyID string) sm {
	t.Helper()
	cfg := server.ConfigAs(accessKeyID)
	cfg.RetryMaxAttempts = 1
	return sm{secretsmanager.NewFromConfig(cfg), t}
}

// limited returns a client without limits, and one whose policy has these actions on these resources.
func limited(t *testing.T, actions, resources []string) (free, limited sm) {
	t.Helper()
	server := startServer(t)
	server.SetPolicy("app", localstack.Statement{Actions: actions, Resources: resources})
	return as(t, server, "test"), as(t, server, "app")
}

var everything = []string{"*"}

// calls has a call of each action on the secret "a".
var calls = map[string]func(ctx context.Context, c sm) error{
	"BatchGetSecretValue": func(ctx context.Context, c sm) error {
		_, err := c.BatchGetSecretValue(ctx, &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"a"}})
		return err
	},
	"CreateSecret": func(ctx context.Context, c sm) error {
		_, err := c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("a")})
		return err
	},
	"DeleteSecret": func(ctx context.Context, c sm) error {
		_, err := c.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: aws.String("a")})
		return err
	},
	"DescribeSecret": func(ctx context.Context, c sm) error {
		_, err := c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String("a")})
		return err
	},
	"GetSecretValue": func(ctx context.Context, c sm) error {
		_, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")})
		return err
	},
	"ListSecretVersionIds": func(ctx context.Context, c sm) error {
		_, err := c.ListSecretVersionIds(ctx, &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("a")})
		return err
	},
	"ListSecrets": func(ctx context.Context, c sm) error {
		_, err := c.ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
		return err
	},
	"PutSecretValue": func(ctx context.Context, c sm) error {
		_, err := c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: aws.String("x")})
		return err
	},
	"RestoreSecret": func(ctx context.Context, c sm) error {
		_, err := c.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: aws.String("a")})
		return err
	},
	"TagResource": func(ctx context.Context, c sm) error {
		_, err := c.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: aws.String("a"), Tags: []types.Tag{}})
		return err
	},
	"UntagResource": func(ctx context.Context, c sm) error {
		_, err := c.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: aws.String("a"), TagKeys: []string{}})
		return err
	},
	"UpdateSecret": func(ctx context.Context, c sm) error {
		_, err := c.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: aws.String("a")})
		return err
	},
	"UpdateSecretVersionStage": func(ctx context.Context, c sm) error {
		in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: aws.String("a"), VersionStage: aws.String("x"), MoveToVersionId: aws.String(v1)}
		_, err := c.UpdateSecretVersionStage(ctx, in)
		return err
	},
}

func TestEachActionNeedsItsOwnPermission(t *testing.T) {
	server := startServer(t)
	c := as(t, server, "app")
	for action, call := range calls {
		for _, resources := range [][]string{everything, nil} {
			server.SetPolicy("app", localstack.Statement{Actions: []string{"secretsmanager:" + action}, Resources: resources})
			denied := code(call(t.Context(), c)) == "AccessDeniedException"
			if denied != (resources == nil) {
				t.Errorf("%s allowed on %q: denied %t", action, resources, denied)
			}
		}
		for other, call := range calls {
			server.SetPolicy("app", localstack.Statement{Actions: []string{"secretsmanager:" + action}, Resources: everything})
			if other != action {
				wantCode(t, call(t.Context(), c), "AccessDeniedException")
			}
		}
	}
	if n := server.Calls()["GetSecretValue"]; n != len(calls)+1 {
		t.Errorf("Calls() has %d of GetSecretValue; want %d, refused ones included", n, len(calls)+1)
	}
}

func TestAPrincipalWithoutAPolicyMayDoEverything(t *testing.T) {
	server := startServer(t)
	server.SetPolicy("app")
	for _, key := range []string{"test", "another"} {
		as(t, server, key).create(key, "value")
	}
	_, err := as(t, server, "app").get("test")
	wantCode(t, err, "AccessDeniedException")
}

func TestPoliciesHaveTheWildcardsOfIAM(t *testing.T) {
	tests := []struct {
		action, resource string
		allowed          bool
	}{
		{"secretsmanager:GetSecretValue", "*", true},
		{"secretsmanager:getsecretVALUE", "*", true},
		{"secretsmanager:Get*", "*", true},
		{"secretsmanager:?etSecret*e", "*", true},
		{"*", "*", true},
		{"GetSecretValue", "*", false},
		{"secretsmanager:Get", "*", false},
		{"secretsmanager:*GetSecretValue?", "*", false},
		{"secretsmanager:DescribeSecret", "*", false},
		{"", "*", false},
		{"*", "", false},
		{"*", secretARN + "crm/t_1-??????", true},
		{"*", secretARN + "crm/t_1-?????", false},
		{"*", secretARN + "crm/t_1-???????", false},
		{"*", secretARN + "crm/t_1", false},
		{"*", secretARN + "crm/t_1*", true},
		{"*", secretARN + "CRM/t_1*", false},
		{"*", secretARN + "crm/*", true},
		{"*", secretARN + "crm/i_*", false},
		{"*", secretARN + "*/t_*", true},
		{"*", secretARN + "**1-??????**", true},
		{"*", secretARN + "crm/*?t_1*", false},
		{"*", "arn:aws:secretsmanager:*:*:secret:crm/t_*", true},
		{"*", "arn:aws:secretsmanager:eu-*:*:secret:crm/t_*", false},
		{"*", "crm/t_1", false},
	}
	for _, tt := range tests {
		t.Run(tt.action+" on "+tt.resource, func(t *testing.T) {
			free, c := limited(t, []string{tt.action}, []string{tt.resource})
			arn := free.create("crm/t_1", "value")
			for _, id := range []string{"crm/t_1", arn, arn[:len(arn)-7]} {
				want := ""
				if !tt.allowed {
					want = "AccessDeniedException"
				}
				_, err := c.get(id)
				wantCode(t, err, want)
			}
		})
	}
}

func TestOneStatementMustAllowBothActionAndResource(t *testing.T) {
	server := startServer(t)
	as(t, server, "test").create("a", "value")
	get := []string{"secretsmanager:GetSecretValue"}
	server.SetPolicy("app",
		localstack.Statement{Actions: get, Resources: []string{secretARN + "b-*", secretARN + "c-*"}},
		localstack.Statement{Actions: []string{"secretsmanager:DescribeSecret"}, Resources: []string{secretARN + "a-*"}})
	_, err := as(t, server, "app").get("a")
	wantCode(t, err, "AccessDeniedException")

	resources := []string{secretARN + "c-*", secretARN + "a-*"}
	server.SetPolicy("app", localstack.Statement{Actions: []string{"secretsmanager:PutSecretValue", get[0]}, Resources: resources})
	resources[1] = "" // the server has its own copy
	_, err = as(t, server, "app").get("a")
	wantCode(t, err, "")
}

func TestADenialComesBeforeExistenceAndNamesActionAndResource(t *testing.T) {
	free, c := limited(t, nil, nil)
	arn := free.create("a", "value")
	tests := []struct{ id, resource string }{{"a", arn}, {arn, arn}, {"absent", "absent"}, {secretARN + "absent", secretARN + "absent"}}
	for _, tt := range tests {
		_, err := c.get(tt.id)
		wantCode(t, err, "AccessDeniedException")
		want := "User: arn:aws:iam::000000000000:user/app is not authorized to perform: secretsmanager:GetSecretValue on resource: " +
			tt.resource + " because no identity-based policy allows the secretsmanager:GetSecretValue action"
		if err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("error %v; want it to end in %q", err, want)
		}
	}
}

func TestWhatDoesNotExistIsNotFoundWhereThePolicyAllowsIt(t *testing.T) {
	_, c := limited(t, everything, []string{secretARN + "crm/t_*"})
	for id, want := range map[string]string{
		"crm/t_1":                      "ResourceNotFoundException",
		secretARN + "crm/t_1":          "ResourceNotFoundException",
		secretARN + "crm/t_1-AbCdEf":   "ResourceNotFoundException",
		"crm/i_1":                      "AccessDeniedException",
		secretARN + "crm/i_1-AbCdEf":   "AccessDeniedException",
		secretARN[4:] + "crm/t_1":      "AccessDeniedException",
		"arn:aws:x:::secret:crm/t_1-a": "AccessDeniedException",
	} {
		_, err := c.get(id)
		wantCode(t, err, want)
	}
}

func TestCreateNeedsTheARNToBeAndWithTagsTagResource(t *testing.T) {
	tags := []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
	create := []string{"secretsmanager:CreateSecret"}
	tests := []struct {
		name      string
		actions   []string
		resource  string
		tags      []types.Tag
		wantError bool
	}{
		{"a prefix", create, "arn:aws:secretsmanager:*:*:secret:crm/t_*", nil, false},
		{"the name and any suffix", create, secretARN + "crm/t_1-??????", nil, false},
		{"the name without a suffix", create, secretARN + "crm/t_1", nil, true},
		{"another prefix", create, secretARN + "crm/i_*", nil, true},
		{"tags without TagResource", create, "*", tags, true},
		{"no tags in a list", create, "*", []types.Tag{}, false},
		{"tags with TagResource", append([]string{"secretsmanager:TagResource"}, create...), secretARN + "crm/t_*", tags, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			free, c := limited(t, tt.actions, []string{tt.resource})
			_, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("crm/t_1"), Tags: tt.tags})
			if !tt.wantError {
				wantCode(t, err, "")
				return
			}
			wantCode(t, err, "AccessDeniedException")
			if _, err := free.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("crm/t_1")}); err == nil {
				t.Error("the secret was created")
			}
		})
	}
}

func TestListsNeedAllResources(t *testing.T) {
	for _, action := range []string{"ListSecrets", "BatchGetSecretValue"} {
		_, c := limited(t, everything, []string{secretARN + "*"})
		err := calls[action](t.Context(), c)
		wantCode(t, err, "AccessDeniedException")
		want := "secretsmanager:" + action + " because no identity-based policy allows the secretsmanager:" + action + " action"
		if err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("error %v; want it to end in %q", err, want)
		}
	}
}

func TestABatchNeedsPermissionForEachSecret(t *testing.T) {
	server := startServer(t)
	free, c := as(t, server, "test"), as(t, server, "app")
	free.create("t_1", "one")
	free.create("i_1", "index")
	server.SetPolicy("app",
		localstack.Statement{Actions: []string{"secretsmanager:BatchGetSecretValue"}, Resources: everything},
		localstack.Statement{Actions: []string{"secretsmanager:GetSecretValue"}, Resources: []string{secretARN + "t_*"}})
	in := &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"i_1", "t_1", "i_2", "t_2"}}
	out, err := c.BatchGetSecretValue(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range out.SecretValues {
		got = append(got, aws.ToString(v.Name))
	}
	for _, e := range out.Errors {
		got = append(got, aws.ToString(e.SecretId)+" "+aws.ToString(e.ErrorCode))
	}
	want := []string{"t_1", "i_1 AccessDeniedException", "i_2 AccessDeniedException", "t_2 ResourceNotFoundException"}
	if !slices.Equal(got, want) {
		t.Errorf("values and errors %q; want %q", got, want)
	}
}

func TestABatchWithFiltersNeedsListSecrets(t *testing.T) {
	filters := []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{"a"}}}
	for _, actions := range [][]string{{"secretsmanager:*Get*"}, {"secretsmanager:*Get*", "secretsmanager:ListSecrets"}} {
		_, c := limited(t, actions, everything)
		_, err := c.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{Filters: filters})
		want := ""
		if len(actions) == 1 {
			want = "AccessDeniedException"
		}
		wantCode(t, err, want)
	}
}

func TestARequestThatNobodySignedHasThePolicyOfNobody(t *testing.T) {
	server := startServer(t)
	if got := post(t, server, "secretsmanager.ListSecrets", "{}"); got.status != http.StatusOK {
		t.Errorf("status %d; want 200", got.status)
	}
	server.SetPolicy("")
	got := post(t, server, "secretsmanager.ListSecrets", "{}")
	if got.status != http.StatusBadRequest || got.header.Get("x-amzn-ErrorType") != "AccessDeniedException" {
		t.Errorf("status %d, %s; want 400, AccessDeniedException", got.status, got.body)
	}
}
