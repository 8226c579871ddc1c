package awssm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
)

// filled is a bench with n secrets, and their names.
func filled(t *testing.T, n int) (bench, []string) {
	t.Helper()
	b := newBench(t, awssm.Options{})
	var names []string
	for i := range n {
		name := fmt.Sprintf("t_p%d", i)
		names = append(names, name)
		_, err := b.direct.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(b.FullName(name)), SecretString: aws.String("of " + name)})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b, names
}

// wantAll checks that GetMany finds all names.
func wantAll(t *testing.T, b bench, names []string) {
	t.Helper()
	got, err := b.GetMany(t.Context(), names)
	if err != nil || len(got) != len(names) {
		t.Fatalf("GetMany found %d of %d, error %v", len(got), len(names), err)
	}
	for _, name := range names {
		if string(got[name].Payload) != "of "+name {
			t.Errorf("GetMany gives %q the payload %q", name, got[name].Payload)
		}
	}
}

func TestGetManyCountsCalls(t *testing.T) {
	tests := []struct{ names, single, batch int }{{0, 0, 0}, {1, 1, 0}, {2, 0, 1}, {20, 0, 1}, {21, 0, 2}, {45, 0, 3}}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d names", tt.names), func(t *testing.T) {
			b, names := filled(t, tt.names)
			wantAll(t, b, names)
			if s, m := b.link.count("GetSecretValue"), b.link.count("BatchGetSecretValue"); s != tt.single || m != tt.batch {
				t.Errorf("%d single reads and %d batches; want %d and %d", s, m, tt.single, tt.batch)
			}
		})
	}
}

func TestANameAskedForTwiceIsReadOnce(t *testing.T) {
	b, names := filled(t, 1)
	wantAll(t, b, names)
	if got, err := b.GetMany(t.Context(), []string{names[0], names[0]}); err != nil || len(got) != 1 {
		t.Errorf("GetMany of one name twice found %d secrets, error %v", len(got), err)
	}
	if n := b.link.count(""); n != 2 {
		t.Errorf("%d requests for two GetMany; want 2", n)
	}
}

// firstPage cuts the reply to a batch after 7 secrets.
func firstPage(send func() (*http.Response, error)) (*http.Response, error) {
	return edit(send, func(body []byte) []byte {
		var whole map[string]any
		if err := json.Unmarshal(body, &whole); err != nil {
			return nil
		}
		if values, _ := whole["SecretValues"].([]any); len(values) > 7 {
			whole["SecretValues"], whole["NextToken"] = values[:7], "more"
		}
		body, err := json.Marshal(whole)
		if err != nil {
			return nil
		}
		return body
	})
}

func TestABatchThatComesInPagesIsReadToTheEnd(t *testing.T) {
	b, names := filled(t, 20)
	b.link.bend = func(_ string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
		return firstPage(send)
	}
	wantAll(t, b, names)
	if s, m := b.link.count("GetSecretValue"), b.link.count("BatchGetSecretValue"); s != 0 || m != 3 {
		t.Errorf("%d single reads and %d pages; want 0 and 3", s, m)
	}
}

func TestWhatABatchLeavesOutIsReadSingly(t *testing.T) {
	b, names := filled(t, 20)
	b.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		switch {
		case op == "BatchGetSecretValue" && n == 1:
			return firstPage(send)
		case op == "BatchGetSecretValue":
			return reply(http.StatusOK, `{"NextToken": "more and more"}`)
		}
		return send()
	}
	wantAll(t, b, names)
	if s, m := b.link.count("GetSecretValue"), b.link.count("BatchGetSecretValue"); s != 13 || m != 2 {
		t.Errorf("%d single reads and %d batches; want 13 and 2", s, m)
	}
}

func TestABatchThatIsDeniedIsReadSinglyFromThenOn(t *testing.T) {
	denials := map[string]func() (*http.Response, error){
		"with a code":    func() (*http.Response, error) { return refuse("AccessDeniedException", "no") },
		"without a code": func() (*http.Response, error) { return reply(http.StatusForbidden, "<Error/>") },
		"unknown call":   func() (*http.Response, error) { return refuse("UnknownOperationException", "") },
		"not there yet":  func() (*http.Response, error) { return reply(http.StatusNotImplemented, "") },
	}
	for name, denial := range denials {
		t.Run(name, func(t *testing.T) {
			b, names := filled(t, 45)
			b.link.bend = func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
				if op == "BatchGetSecretValue" {
					return denial()
				}
				return send()
			}
			wantAll(t, b, names)
			batches := b.link.count("BatchGetSecretValue")
			wantAll(t, b, names)
			if again := b.link.count("BatchGetSecretValue"); batches > 3 || again != batches {
				t.Errorf("%d batches were tried, then %d more; want at most 3, then none", batches, again-batches)
			}
			if n := b.link.count("GetSecretValue"); n != 90 {
				t.Errorf("%d single reads; want 90", n)
			}
		})
	}
}

func TestABatchReportsWhatItCouldNotRead(t *testing.T) {
	b, names := filled(t, 5)
	b.link.bend = func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
		return reply(http.StatusOK, `{"SecretValues": [
			{"ARN": "arn:aws:secretsmanager:us-east-1:1:secret:crm/prod/t_p0-AbCdEf", "Name": "crm/prod/t_p0", "VersionId": "v", "VersionStages": ["AWSCURRENT"], "SecretString": "of t_p0"},
			{"ARN": "arn:aws:secretsmanager:us-east-1:1:secret:strange-AbCdEf", "Name": "strange", "VersionId": "v", "SecretString": "x"}],
			"Errors": [
			{"SecretId": "crm/prod/t_p1", "ErrorCode": "AccessDeniedException", "Message": "no"},
			{"SecretId": "arn:aws:secretsmanager:us-east-1:1:secret:crm/prod/t_p2-AbCdEf", "ErrorCode": "DecryptionFailure", "Message": "no"},
			{"SecretId": "crm/prod/t_p3", "ErrorCode": "InvalidRequestException", "Message": "marked for deletion"},
			{"SecretId": "crm/prod/t_p4", "ErrorCode": "Strange thing", "Message": "huh"}]}`)
	}
	got, err := b.GetMany(t.Context(), names)
	if len(got) != 1 || string(got["t_p0"].Payload) != "of t_p0" {
		t.Errorf("GetMany found %v; want t_p0 only", got)
	}
	want := map[string]error{"t_p1": driver.ErrPermission, "t_p2": driver.ErrPermission, "t_p4": driver.ErrUnavailable}
	for _, e := range single(t, err) {
		if !errors.Is(e, want[e.Name]) {
			t.Errorf("%v is not %v", e, want[e.Name])
		}
		delete(want, e.Name)
	}
	if len(want) != 0 {
		t.Errorf("GetMany reports nothing of %v", want)
	}
}

// single takes apart the error of a GetMany.
func single(t *testing.T, err error) []*driver.Error {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("GetMany = %v; want errors joined", err)
	}
	var errs []*driver.Error
	for _, err := range joined.Unwrap() {
		e, ok := err.(*driver.Error)
		if !ok {
			t.Fatalf("GetMany has joined %v, a %T; want *driver.Errors only", err, err)
		}
		errs = append(errs, e)
	}
	return errs
}

func TestABatchThatFailsAsAWhole(t *testing.T) {
	failing := func(names string) func(string, int, func() (*http.Response, error)) (*http.Response, error) {
		return func(_ string, n int, send func() (*http.Response, error)) (*http.Response, error) {
			if n == 1 && names == "all but the first" {
				return send()
			}
			return reply(http.StatusServiceUnavailable, "")
		}
	}
	t.Run("nothing is known", func(t *testing.T) {
		b, names := filled(t, 45)
		b.link.bend = failing("all")
		got, err := b.GetMany(t.Context(), names)
		if len(got) != 0 || !errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("GetMany found %d, error %v; want nothing and ErrUnavailable", len(got), err)
		}
		if e := (*driver.Error)(nil); errors.As(err, &e) {
			t.Errorf("GetMany = %v, which is about one secret", err)
		}
	})
	t.Run("one batch of three is known", func(t *testing.T) {
		b, names := filled(t, 45)
		b.link.bend = failing("all but the first")
		got, err := b.GetMany(t.Context(), names)
		if len(got) == 0 {
			t.Fatalf("GetMany found nothing, error %v; want a batch", err)
		}
		for _, e := range single(t, err) {
			if _, found := got[e.Name]; found || !slices.Contains(names, e.Name) || !errors.Is(e, driver.ErrUnavailable) {
				t.Errorf("GetMany reports %v; found: %v", e, found)
			}
		}
		if n := len(single(t, err)) + len(got); n != 45 {
			t.Errorf("GetMany says something about %d names; want 45", n)
		}
	})
}
