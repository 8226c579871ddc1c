package localstack_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

func TestBatchReportsWhatItCannotReadBesideWhatItCan(t *testing.T) {
	c := newClient(t)
	arn := c.create("a", "value of a")
	c.create("b", "value of b")
	c.create("scheduled", "gone")
	c.schedule("scheduled")
	if _, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("empty")}); err != nil {
		t.Fatal(err)
	}
	out, err := c.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{
		SecretIdList: []string{arn, "absent", "b", "scheduled", "empty"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var values, failures []string
	for _, v := range out.SecretValues {
		values = append(values, aws.ToString(v.Name)+"="+aws.ToString(v.SecretString)+" "+aws.ToString(v.VersionId)+" "+fmt.Sprint(v.VersionStages))
	}
	for _, e := range out.Errors {
		failures = append(failures, aws.ToString(e.SecretId)+": "+aws.ToString(e.ErrorCode))
		if aws.ToString(e.Message) == "" {
			t.Errorf("the error of %s has no message", aws.ToString(e.SecretId))
		}
	}
	wantValues := []string{"a=value of a " + v1 + " [AWSCURRENT]", "b=value of b " + v1 + " [AWSCURRENT]"}
	wantFailures := []string{"absent: ResourceNotFoundException", "scheduled: InvalidRequestException", "empty: ResourceNotFoundException"}
	if !slices.Equal(values, wantValues) || !slices.Equal(failures, wantFailures) || out.NextToken != nil {
		t.Errorf("values %q, errors %q, token %v; want %q, %q, none", values, failures, out.NextToken, wantValues, wantFailures)
	}
}

func TestBatchRefusesWhatAWSRefuses(t *testing.T) {
	c := newClient(t)
	ids := func(n int) []string { return slices.Repeat([]string{"absent"}, n) }
	byName := []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{"a"}}}
	tests := []struct {
		name string
		in   secretsmanager.BatchGetSecretValueInput
		want string
	}{
		{"20 secrets", secretsmanager.BatchGetSecretValueInput{SecretIdList: ids(20)}, ""},
		{"21 secrets", secretsmanager.BatchGetSecretValueInput{SecretIdList: ids(21)}, "ValidationException"},
		{"no secrets", secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{}}, "ValidationException"},
		{"neither a list nor filters", secretsmanager.BatchGetSecretValueInput{}, "InvalidParameterException"},
		{"a list and filters", secretsmanager.BatchGetSecretValueInput{SecretIdList: ids(1), Filters: byName}, "InvalidParameterException"},
		{"a page size without filters", secretsmanager.BatchGetSecretValueInput{SecretIdList: ids(1), MaxResults: aws.Int32(1)}, "InvalidParameterException"},
		{"a token without filters", secretsmanager.BatchGetSecretValueInput{SecretIdList: ids(1), NextToken: aws.String("x")}, "InvalidNextTokenException"},
		{"filters", secretsmanager.BatchGetSecretValueInput{Filters: byName, MaxResults: aws.Int32(20)}, ""},
		{"a page of 21", secretsmanager.BatchGetSecretValueInput{Filters: byName, MaxResults: aws.Int32(21)}, "ValidationException"},
		{"a page of none", secretsmanager.BatchGetSecretValueInput{Filters: byName, MaxResults: aws.Int32(0)}, "ValidationException"},
		{"a token that the server did not make", secretsmanager.BatchGetSecretValueInput{Filters: byName, NextToken: aws.String("x")}, "InvalidNextTokenException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.BatchGetSecretValue(t.Context(), &tt.in)
			wantCode(t, err, tt.want)
		})
	}
}

func TestBatchPagesThroughWhatPassesTheFilters(t *testing.T) {
	c := newClient(t)
	var want []string
	for i := range 45 {
		name := fmt.Sprintf("app/%02d", i)
		c.create(name, "value of "+name)
		want = append(want, "value of "+name)
	}
	c.create("other", "another value")
	c.create("app/gone", "gone")
	c.schedule("app/gone")
	for _, size := range []*int32{nil, aws.Int32(7)} {
		var got []string
		pages := 0
		pager := secretsmanager.NewBatchGetSecretValuePaginator(c, &secretsmanager.BatchGetSecretValueInput{
			Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{"app/"}}}, MaxResults: size,
		})
		for pager.HasMorePages() {
			out, err := pager.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			pages++
			for _, v := range out.SecretValues {
				got = append(got, aws.ToString(v.SecretString))
			}
		}
		wantPages := map[bool]int{true: 3, false: 7}[size == nil] // 45 in pages of 20 and of 7
		if !slices.Equal(got, want) || pages != wantPages {
			t.Errorf("pages of %v: %d values on %d pages; want %d on %d", size, len(got), pages, len(want), wantPages)
		}
	}
}
