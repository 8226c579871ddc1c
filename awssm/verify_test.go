package awssm_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
)

// moveBack makes AWSPREVIOUS of a secret current again, as an operator does in the console.
func (a *account) moveBack(name string) {
	a.t.Helper()
	id := aws.String(a.o.Prefix + "/" + name)
	out, err := a.direct.DescribeSecret(a.t.Context(), &secretsmanager.DescribeSecretInput{SecretId: id})
	if err != nil {
		a.t.Fatal(err)
	}
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: id, VersionStage: aws.String("AWSCURRENT")}
	for version, stages := range out.VersionIdsToStages {
		if slices.Contains(stages, "AWSPREVIOUS") {
			in.MoveToVersionId = aws.String(version)
		}
		if slices.Contains(stages, "AWSCURRENT") {
			in.RemoveFromVersionId = aws.String(version)
		}
	}
	if _, err := a.direct.UpdateSecretVersionStage(a.t.Context(), in); err != nil {
		a.t.Fatal(err)
	}
}

// problems describes findings without the names of the secrets.
func problems(r tokenkeep.Report) []string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, fmt.Sprintf("%s %s", f.Problem, f.Secret))
	}
	slices.Sort(all)
	return all
}

func TestVerifyNamesWhatWasMovedBackByHandAndTheStoreRecovers(t *testing.T) {
	tests := []struct {
		name    string
		moved   string
		want    []string
		recover func(a *account) error // what makes it well, but for what is left
		left    []string
	}{
		{
			"a token, and it is saved again", "t_p1", []string{"rolled back by hand crm/prod/t_p1"},
			func(a *account) error {
				_, err := a.handle().SaveToken(a.t.Context(), tokenkeep.Token{ID: "1", AccessToken: "again"})
				return err
			}, nil,
		},
		{
			"a token, and it is repaired", "t_p1", []string{"rolled back by hand crm/prod/t_p1"},
			func(a *account) error { _, err := a.handle().Repair(a.t.Context()); return err }, nil,
		},
		{
			"the index, and a token is saved", "i_r", []string{"rolled back by hand crm/prod/i_r", "unlisted crm/prod/t_p4"},
			func(a *account) error {
				_, err := a.handle().SaveToken(a.t.Context(), secret("zoe"))
				return err
			}, []string{"unlisted crm/prod/t_p4"},
		},
		{
			"the index, and it is repaired", "i_r", []string{"rolled back by hand crm/prod/i_r", "unlisted crm/prod/t_p4"},
			func(a *account) error { _, err := a.handle().Repair(a.t.Context()); return err }, nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAccount(t, awssm.Options{})
			a.save(threeTokens()...)
			a.save(tokenkeep.Token{ID: "4", UserName: "dot", RefreshToken: canary}) // the last one that the index lists
			a.save(tokenkeep.Token{ID: "1", AccessToken: "newer"})
			if r, err := a.handle().Verify(t.Context()); err != nil || len(r.Findings) > 0 || r.Tokens != 4 || r.IndexSecrets != 1 || !r.Scanned {
				t.Fatalf("before: Verify = %+v, error %v; want four tokens and no finding", r, err)
			}
			a.moveBack(tt.moved)
			if r, err := a.handle().Verify(t.Context()); err != nil || !slices.Equal(problems(r), tt.want) {
				t.Errorf("Verify finds %q, error %v; want %q", problems(r), err, tt.want)
			}
			if err := tt.recover(a); err != nil {
				t.Fatal(err)
			}
			if r, err := a.handle().Verify(t.Context()); err != nil || !slices.Equal(problems(r), tt.left) {
				t.Errorf("afterwards Verify finds %q, error %v; want %q", problems(r), err, tt.left)
			}
		})
	}
}

func TestVerifyWithoutTheRightToListSaysWhichOneItNeeds(t *testing.T) {
	a := newAccount(t, awssm.Options{})
	a.save(threeTokens()...)
	a.link.bend = refusing("ListSecrets", "AccessDeniedException")
	_, err := a.handle().Verify(t.Context())
	refused(t, "Verify", err, tokenkeep.ErrPermission, "secretsmanager:ListSecrets")
	if _, err := a.handle().Repair(t.Context()); !errors.Is(err, tokenkeep.ErrPermission) {
		t.Errorf("Repair: %v; want ErrPermission", err)
	}
}
