package localstack_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// answer is what a call was answered, in words that are the same for both servers if the answers are.
type answer struct {
	code  string
	lines []string
}

func (a answer) String() string {
	if a.code != "" {
		return a.code
	}
	return "{" + strings.Join(a.lines, "; ") + "}"
}

func (a answer) equal(b answer) bool { return a.code == b.code && slices.Equal(a.lines, b.lines) }

// side is an account on one of the two servers.
type side struct {
	*secretsmanager.Client
	prefix string              // of its ARNs
	arns   map[string][]string // of the lives of each secret
}

// id is the SecretId of a call.
func (s *side) id(secret, by string) *string {
	name, lives := literal(secret), s.arns[secret]
	switch {
	case by == "":
		return &name
	case by == byPartialARN:
		return aws.String(s.prefix + name)
	case by == byARN && len(lives) > 0:
		return &lives[len(lives)-1]
	case by == byEndedARN && len(lives) > 1:
		return &lives[len(lives)-2]
	}
	return aws.String(s.prefix + name + "-nosuch")
}

const unknownARN = " with an unknown ARN"

// named says which secret an answer is about, since its ARN is another one on the other side.
func (s *side) named(arn, name *string) string {
	secret := symbol(name)
	lives := s.arns[secret]
	switch i := slices.Index(lives, aws.ToString(arn)); {
	case i < 0:
		return secret + unknownARN
	case i < len(lives)-1:
		return secret + " with an earlier ARN"
	}
	return secret
}

func (s *side) do(ctx context.Context, c call) answer {
	lines, err := actions[c.Action](s, ctx, c)
	var failure smithy.APIError
	var reply *smithyhttp.ResponseError
	switch {
	case err == nil:
		return answer{lines: lines}
	case !errors.As(err, &failure) && errors.As(err, &reply):
		return answer{code: fmt.Sprint("status ", reply.HTTPStatusCode())} // moto answers an error of its own in HTML
	}
	return answer{code: code(err)}
}

var actions = map[string]func(*side, context.Context, call) ([]string, error){
	"BatchGetSecretValue":      (*side).batch,
	"CreateSecret":             (*side).create,
	"DeleteSecret":             (*side).delete,
	"DescribeSecret":           (*side).describe,
	"GetSecretValue":           (*side).get,
	"ListSecretVersionIds":     (*side).listVersions,
	"ListSecrets":              (*side).list,
	"PutSecretValue":           (*side).put,
	"RestoreSecret":            (*side).restore,
	"TagResource":              (*side).tag,
	"UntagResource":            (*side).untag,
	"UpdateSecret":             (*side).update,
	"UpdateSecretVersionStage": (*side).move,
}

// mostPages is more than there are to a list.
const mostPages = 8

func (s *side) create(ctx context.Context, c call) ([]string, error) {
	text, binary := c.value()
	out, err := s.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: aws.String(literal(c.Secret)), ClientRequestToken: member(c.Token), Description: member(c.Description),
		SecretString: text, SecretBinary: binary, Tags: c.tags(),
	})
	if err != nil {
		return nil, err
	}
	if arn := aws.ToString(out.ARN); !slices.Contains(s.arns[c.Secret], arn) {
		s.arns[c.Secret] = append(s.arns[c.Secret], arn)
	}
	return []string{s.named(out.ARN, out.Name), "version " + symbol(out.VersionId)}, nil
}

func (s *side) put(ctx context.Context, c call) ([]string, error) {
	text, binary := c.value()
	out, err := s.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: s.id(c.Secret, c.By), ClientRequestToken: member(c.Token), SecretString: text, SecretBinary: binary,
		VersionStages: each(c.Stages, literal),
	})
	if err != nil {
		return nil, err
	}
	return []string{s.named(out.ARN, out.Name), labelled(symbol(out.VersionId), out.VersionStages)}, nil
}

func (s *side) update(ctx context.Context, c call) ([]string, error) {
	text, binary := c.value()
	out, err := s.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{
		SecretId: s.id(c.Secret, c.By), ClientRequestToken: member(c.Token), Description: member(c.Description),
		SecretString: text, SecretBinary: binary,
	})
	if err != nil {
		return nil, err
	}
	return []string{s.named(out.ARN, out.Name), "version " + symbol(out.VersionId)}, nil
}

func (s *side) move(ctx context.Context, c call) ([]string, error) {
	out, err := s.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: s.id(c.Secret, c.By), VersionStage: aws.String(literal(c.Stage)),
		MoveToVersionId: member(c.To), RemoveFromVersionId: member(c.From),
	})
	if err != nil {
		return nil, err
	}
	return []string{s.named(out.ARN, out.Name)}, nil
}

func (s *side) get(ctx context.Context, c call) ([]string, error) {
	out, err := s.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: s.id(c.Secret, c.By), VersionId: member(c.Version), VersionStage: member(c.Stage),
	})
	if err != nil {
		return nil, err
	}
	version := labelled(symbol(out.VersionId), out.VersionStages)
	return []string{s.named(out.ARN, out.Name), version, shownValue(out.SecretString, out.SecretBinary)}, nil
}

func (s *side) batch(ctx context.Context, c call) ([]string, error) {
	in := secretsmanager.BatchGetSecretValueInput{Filters: c.filters(), MaxResults: c.Max}
	in.SecretIdList = each(c.Secrets, func(secret string) string { return aws.ToString(s.id(secret, c.By)) })
	var lines []string
	for range mostPages {
		out, err := s.BatchGetSecretValue(ctx, &in)
		if err != nil {
			return nil, err
		}
		for _, v := range out.SecretValues {
			lines = append(lines, s.named(v.ARN, v.Name), labelled(symbol(v.VersionId), v.VersionStages), shownValue(v.SecretString, v.SecretBinary))
		}
		for _, e := range out.Errors {
			at := slices.Index(in.SecretIdList, aws.ToString(e.SecretId))
			lines = append(lines, fmt.Sprint("secret ", at, " of the list: ", aws.ToString(e.ErrorCode)))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return lines, nil
		}
		lines = append(lines, "next page")
	}
	return append(lines, "no end"), nil
}

func (s *side) list(ctx context.Context, c call) ([]string, error) {
	in := secretsmanager.ListSecretsInput{Filters: c.filters(), MaxResults: c.Max, IncludePlannedDeletion: &c.All}
	var lines []string
	for range mostPages {
		out, err := s.ListSecrets(ctx, &in)
		if err != nil {
			return nil, err
		}
		for _, e := range out.SecretList {
			lines = append(lines, s.detail(e.ARN, e.Name, e.Description, e.DeletedDate, e.Tags)...)
			lines = append(lines, stagesOf(e.SecretVersionsToStages)...)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return lines, nil
		}
		lines = append(lines, "next page")
	}
	return append(lines, "no end"), nil
}

func (s *side) listVersions(ctx context.Context, c call) ([]string, error) {
	out, err := s.ListSecretVersionIds(ctx, &secretsmanager.ListSecretVersionIdsInput{SecretId: s.id(c.Secret, c.By), IncludeDeprecated: &c.All})
	if err != nil {
		return nil, err
	}
	lines := []string{s.named(out.ARN, out.Name)}
	for _, v := range out.Versions {
		lines = append(lines, labelled(symbol(v.VersionId), v.VersionStages))
	}
	return lines, nil
}

func (s *side) describe(ctx context.Context, c call) ([]string, error) {
	out, err := s.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: s.id(c.Secret, c.By)})
	if err != nil {
		return nil, err
	}
	return append(s.detail(out.ARN, out.Name, out.Description, out.DeletedDate, out.Tags), stagesOf(out.VersionIdsToStages)...), nil
}

func (s *side) delete(ctx context.Context, c call) ([]string, error) {
	out, err := s.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
		SecretId: s.id(c.Secret, c.By), ForceDeleteWithoutRecovery: &c.Force, RecoveryWindowInDays: c.Window,
	})
	if err != nil {
		return nil, err
	}
	return []string{s.named(out.ARN, out.Name), "gone" + days(out.DeletionDate)}, nil
}

func (s *side) restore(ctx context.Context, c call) ([]string, error) {
	out, err := s.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: s.id(c.Secret, c.By)})
	if err != nil {
		return nil, err
	}
	return []string{s.named(out.ARN, out.Name)}, nil
}

func (s *side) tag(ctx context.Context, c call) ([]string, error) {
	_, err := s.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: s.id(c.Secret, c.By), Tags: c.tags()})
	return nil, err
}

func (s *side) untag(ctx context.Context, c call) ([]string, error) {
	_, err := s.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: s.id(c.Secret, c.By), TagKeys: each(c.Tags, literal)})
	return nil, err
}

// detail is what DescribeSecret and ListSecrets show of a secret, without its versions.
func (s *side) detail(arn, name, description *string, deleted *time.Time, tags []types.Tag) []string {
	lines := []string{s.named(arn, name), "description " + symbol(description)}
	if deleted != nil {
		lines = append(lines, "scheduled for deletion"+days(deleted))
	}
	var shown []string
	for _, tag := range tags {
		shown = append(shown, symbol(tag.Key)+"="+aws.ToString(tag.Value))
	}
	slices.Sort(shown)
	return append(lines, "tags "+strings.Join(shown, " "))
}

func days(at *time.Time) string {
	return fmt.Sprint(" in ", math.Round(time.Until(aws.ToTime(at)).Hours()/24), " days")
}

func stagesOf(versions map[string][]string) []string {
	var lines []string
	for id, labels := range versions {
		lines = append(lines, labelled(symbol(&id), labels))
	}
	slices.Sort(lines)
	return lines
}

// labelled shows a version and its labels, whose order means nothing.
func labelled(version string, labels []string) string {
	shown := each(labels, func(label string) string { return symbol(&label) })
	slices.Sort(shown)
	return strings.TrimSpace("version " + version + ": " + strings.Join(shown, " "))
}

func shownValue(text *string, binary []byte) string {
	return fmt.Sprintf("value %s%x", symbol(text), binary)
}
