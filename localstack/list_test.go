package localstack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

func (c sm) createTagged(name, description string, tags ...string) {
	c.t.Helper()
	in := &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String("value"), ClientRequestToken: aws.String(v1)}
	if description != "" {
		in.Description = &description
	}
	for i := 0; i < len(tags); i += 2 {
		in.Tags = append(in.Tags, types.Tag{Key: &tags[i], Value: &tags[i+1]})
	}
	if _, err := c.CreateSecret(c.t.Context(), in); err != nil {
		c.t.Fatal(err)
	}
}

// list returns the names on all pages of a list.
func (c sm) list(in *secretsmanager.ListSecretsInput) (names []string, pages int) {
	c.t.Helper()
	pager := secretsmanager.NewListSecretsPaginator(c, in)
	for pager.HasMorePages() {
		out, err := pager.NextPage(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		pages++
		for _, s := range out.SecretList {
			names = append(names, aws.ToString(s.Name))
		}
	}
	return names, pages
}

func TestListSecretsFilters(t *testing.T) {
	c := newClient(t)
	c.createTagged("app/One", "My first secret", "team", "Blue", "env", "prod")
	c.createTagged("app/two", "the second", "team", "green")
	c.createTagged("credsDatabase892", "")
	tests := []struct {
		name    string
		filters []string // key and values
		want    string
	}{
		{"no filter", nil, "app/One app/two credsDatabase892"},
		{"the beginning of a name", []string{"name=app/"}, "app/One app/two"},
		{"names are case-sensitive", []string{"name=app/o"}, ""},
		{"the middle of a name does not match", []string{"name=One"}, ""},
		{"values of a filter are alternatives", []string{"name=app/t,creds"}, "app/two credsDatabase892"},
		{"filters add up", []string{"name=app/", "tag-value=green"}, "app/two"},
		{"a name that is negated", []string{"name=!app/"}, "credsDatabase892"},
		{"the beginning of a description in any case", []string{"description=my FIRST"}, "app/One"},
		{"the middle of a description does not match", []string{"description=first"}, ""},
		{"a tag key", []string{"tag-key=te"}, "app/One app/two"},
		{"tag keys are case-sensitive", []string{"tag-key=Team"}, ""},
		{"a secret without the tag key", []string{"tag-key=!env"}, "app/two credsDatabase892"},
		{"a tag value", []string{"tag-value=pr"}, "app/One"},
		{"tag values are case-sensitive", []string{"tag-value=blue"}, ""},
		{"all: a word of a name in any case", []string{"all=ONE"}, "app/One"},
		{"all: a word of a description", []string{"all=second"}, "app/two"},
		{"all: a word of a tag", []string{"all=blue"}, "app/One"},
		{"all: one of the words is enough", []string{"all=nothing green"}, "app/two"},
		{"all: words end at a capital and at a digit", []string{"all=892"}, "credsDatabase892"},
		{"all: a word in the middle of a name", []string{"all=database"}, "credsDatabase892"},
		{"all: the end of a word does not match", []string{"all=base"}, ""},
		{"nothing is owned by a service", []string{"owning-service=rds"}, ""},
		{"nothing is replicated", []string{"primary-region=us-east-1"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &secretsmanager.ListSecretsInput{}
			for _, f := range tt.filters {
				key, values, _ := strings.Cut(f, "=")
				in.Filters = append(in.Filters, types.Filter{Key: types.FilterNameStringType(key), Values: strings.Split(values, ",")})
			}
			if got, _ := c.list(in); strings.Join(got, " ") != tt.want {
				t.Errorf("found %q; want %q", got, tt.want)
			}
		})
	}
}

func TestListSecretsRefusesWhatAWSRefuses(t *testing.T) {
	filters := func(n int, key string, values ...string) secretsmanager.ListSecretsInput {
		return secretsmanager.ListSecretsInput{Filters: slices.Repeat([]types.Filter{{Key: types.FilterNameStringType(key), Values: values}}, n)}
	}
	tests := []struct {
		name string
		in   secretsmanager.ListSecretsInput
		want string
	}{
		{"a page of 100", secretsmanager.ListSecretsInput{MaxResults: aws.Int32(100)}, ""},
		{"a page of 101", secretsmanager.ListSecretsInput{MaxResults: aws.Int32(101)}, "ValidationException"},
		{"a page of none", secretsmanager.ListSecretsInput{MaxResults: aws.Int32(0)}, "ValidationException"},
		{"an unknown order", secretsmanager.ListSecretsInput{SortOrder: "up"}, "ValidationException"},
		{"an unknown sort key", secretsmanager.ListSecretsInput{SortBy: "size"}, "ValidationException"},
		{"a token that the server did not make", secretsmanager.ListSecretsInput{NextToken: aws.String("page2")}, "InvalidNextTokenException"},
		{"ten filters", filters(10, "name", "a"), ""},
		{"eleven filters", filters(11, "name", "a"), "ValidationException"},
		{"an unknown filter", filters(1, "colour", "a"), "ValidationException"},
		{"a filter without values", filters(1, "name"), "ValidationException"},
		{"ten values", filters(1, "name", labels(10)...), ""},
		{"eleven values", filters(1, "name", labels(11)...), "ValidationException"},
		{"a value of 513 characters", filters(1, "name", strings.Repeat("v", 513)), "ValidationException"},
		{"a value with a character outside the pattern", filters(1, "name", "a#b"), "ValidationException"},
	}
	c := newClient(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.ListSecrets(t.Context(), &tt.in)
			wantCode(t, err, tt.want)
		})
	}
}

func TestListSecretsPagesAndOrders(t *testing.T) {
	c, clock := newClientWithClock(t)
	var created []string
	for i := range 23 {
		name := fmt.Sprintf("s%02d", (i*7)%23)
		c.create(name, "value")
		created = append(created, name)
	}
	clock.advance(time.Minute)
	c.mustPut(created[0], v2, "changed")
	c.wantValue(created[1], "value") // read
	changed := append(slices.Clone(created[1:]), created[0])
	accessed := append([]string{created[0]}, append(slices.Clone(created[2:]), created[1])...)
	byName := slices.Sorted(slices.Values(created))
	reversed := slices.Clone(byName)
	slices.Reverse(reversed)
	newest := slices.Clone(created)
	slices.Reverse(newest)
	tests := []struct {
		name  string
		by    types.SortByType
		order types.SortOrderType
		want  []string
	}{
		{"by creation", "", "", created},
		{"by creation, newest first", types.SortByTypeCreatedDate, types.SortOrderTypeDesc, newest},
		{"by change", types.SortByTypeLastChangedDate, types.SortOrderTypeAsc, changed},
		{"by access, never first", types.SortByTypeLastAccessedDate, types.SortOrderTypeAsc, accessed},
		{"by name", types.SortByTypeName, types.SortOrderTypeAsc, byName},
		{"by name, last first", types.SortByTypeName, types.SortOrderTypeDesc, reversed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, pages := c.list(&secretsmanager.ListSecretsInput{SortBy: tt.by, SortOrder: tt.order, MaxResults: aws.Int32(5)})
			if !slices.Equal(got, tt.want) || pages != 5 {
				t.Errorf("%d pages: %q; want 5: %q", pages, got, tt.want)
			}
		})
	}
}

func TestSecretsThatComeAndGoBetweenPagesHideNoOther(t *testing.T) {
	c := newClient(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		c.create(name, "value")
	}
	first, err := c.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(2)})
	if err != nil {
		t.Fatal(err)
	}
	c.force("a")
	c.force("b") // the last one shown
	c.create("e", "value")
	got, pages := c.list(&secretsmanager.ListSecretsInput{NextToken: first.NextToken, MaxResults: aws.Int32(3)})
	if !slices.Equal(got, []string{"c", "d", "e"}) || pages != 1 { // three fill it: no token for another one
		t.Errorf("%d more pages have %q; want 1 with c, d and e", pages, got)
	}
	for _, name := range got {
		c.force(name)
	}
	if got, _ := c.list(&secretsmanager.ListSecretsInput{NextToken: first.NextToken}); len(got) != 0 {
		t.Errorf("the second page has %q after all were deleted", got)
	}
	c.create("c", "value")
	_, err = c.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{NextToken: first.NextToken, SortOrder: types.SortOrderTypeDesc})
	wantCode(t, err, "InvalidNextTokenException")
	_, err = c.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("c"), NextToken: first.NextToken})
	wantCode(t, err, "InvalidNextTokenException")
}

func TestListSecretsShowsScheduledOnesOnRequest(t *testing.T) {
	c := newClient(t)
	arn := c.create("a", "value")
	c.create("b", "value")
	c.schedule("a")
	if got, _ := c.list(&secretsmanager.ListSecretsInput{}); !slices.Equal(got, []string{"b"}) {
		t.Errorf("listed %q; want b", got)
	}
	out, err := c.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)})
	if err != nil || len(out.SecretList) != 2 {
		t.Fatalf("listed %v, %v; want two secrets", out.SecretList, err)
	}
	s := out.SecretList[0]
	if aws.ToString(s.ARN) != arn || s.DeletedDate == nil || !slices.Equal(s.SecretVersionsToStages[v1], []string{"AWSCURRENT"}) {
		t.Errorf("listed %+v; want the ARN, DeletedDate and stages", s)
	}
}

func TestListSecretVersionIdsLeavesOutDeprecatedOnesAndPages(t *testing.T) {
	c := newClient(t)
	arn := c.create("a", "value")
	c.mustPut("a", v2, "two", "A")
	c.mustPut("a", v3, "three")
	c.mustPut("a", v4, "four") // v1 has no label now
	versions := func(in *secretsmanager.ListSecretVersionIdsInput) (ids []string) {
		t.Helper()
		in.SecretId = aws.String("a")
		pager := secretsmanager.NewListSecretVersionIdsPaginator(c, in)
		for pager.HasMorePages() {
			out, err := pager.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range out.Versions {
				ids = append(ids, aws.ToString(v.VersionId))
				if aws.ToString(out.ARN) != arn || v.CreatedDate == nil || !slices.Equal(v.KmsKeyIds, []string{"DefaultEncryptionKey"}) {
					t.Errorf("listed %q, %+v; want the ARN, a date and the default key", aws.ToString(out.ARN), v)
				}
			}
		}
		return ids
	}
	if got, want := versions(&secretsmanager.ListSecretVersionIdsInput{}), []string{v2, v3, v4}; !slices.Equal(got, want) {
		t.Errorf("listed %q; want %q", got, want)
	}
	got := versions(&secretsmanager.ListSecretVersionIdsInput{IncludeDeprecated: aws.Bool(true), MaxResults: aws.Int32(1)})
	if want := []string{v1, v2, v3, v4}; !slices.Equal(got, want) {
		t.Errorf("listed with the deprecated ones %q; want %q", got, want)
	}
	_, err := c.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("a"), MaxResults: aws.Int32(101)})
	wantCode(t, err, "ValidationException")
	_, err = c.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("absent")})
	wantCode(t, err, "ResourceNotFoundException")
}
