package localstack

import (
	"cmp"
	"errors"
	"slices"
)

type getSecretValueInput struct {
	SecretId                string
	VersionId, VersionStage *string
}

type secretValue struct {
	ARN           string
	CreatedDate   epoch
	Name          string
	SecretBinary  []byte `json:",omitempty"`
	SecretString  string `json:",omitempty"`
	VersionId     string
	VersionStages []string `json:",omitempty"`
}

func (a *account) getSecretValue(in getSecretValueInput) (secretValue, error) {
	id, err := checkOptional("versionId", in.VersionId, minToken, maxToken)
	if err != nil {
		return secretValue{}, err
	}
	label, err := checkOptional("versionStage", in.VersionStage, 1, maxLabel)
	if err != nil {
		return secretValue{}, err
	}
	s, err := a.findLive(in.SecretId)
	if err != nil {
		return secretValue{}, err
	}
	v, err := s.find(id, label)
	if err != nil {
		return secretValue{}, err
	}
	if now := a.now(); s.touch(v, now) {
		a.listed.note(s, now)
	}
	out := secretValue{ARN: s.arn, CreatedDate: epoch(v.created), Name: s.name, VersionId: v.id, VersionStages: s.labelsOf(v.id)}
	if v.value.binary {
		out.SecretBinary = []byte(v.value.data)
	} else {
		out.SecretString = v.value.data
	}
	return out, nil
}

type batchGetSecretValueInput struct {
	Filters      []filter
	MaxResults   *int
	NextToken    *string
	SecretIdList []string
}

type batchError struct {
	ErrorCode, Message, SecretId string
}

type batchGetSecretValueOutput struct {
	Errors       []batchError
	NextToken    string `json:",omitempty"`
	SecretValues []secretValue
}

// batchGetSecretValue reads several secrets. One that cannot, or may not, be read is an entry in Errors and not the call's
// error.
func (a *account) batchGetSecretValue(by caller, in batchGetSecretValueInput) (batchGetSecretValueOutput, error) {
	out := batchGetSecretValueOutput{Errors: []batchError{}, SecretValues: []secretValue{}}
	ids, next, err := a.batch(in)
	if err != nil {
		return out, err
	}
	out.NextToken = next
	for _, id := range ids {
		v, err := a.getAs(by, id)
		if failure := (*apiError)(nil); errors.As(err, &failure) {
			out.Errors = append(out.Errors, batchError{failure.Code, failure.Message, id})
			continue
		}
		out.SecretValues = append(out.SecretValues, v)
	}
	return out, nil
}

// getAs reads the current value of one secret of a batch.
func (a *account) getAs(by caller, id string) (secretValue, error) {
	if err := by.checkSecret(a, "GetSecretValue", id); err != nil {
		return secretValue{}, err
	}
	return a.getSecretValue(getSecretValueInput{SecretId: id})
}

// batch returns the secrets that a request means: those of its list, or a page of those that pass its filters.
func (a *account) batch(in batchGetSecretValueInput) (ids []string, next string, err error) {
	if (in.SecretIdList == nil) == (in.Filters == nil) {
		return nil, "", invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	}
	if in.SecretIdList != nil {
		switch {
		case in.MaxResults != nil:
			return nil, "", invalidParameter("'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
		case in.NextToken != nil:
			return nil, "", errNextToken // a list is always one page
		}
		return in.SecretIdList, "", checkCount("secretIdList", len(in.SecretIdList), maxBatch)
	}
	listed := listSecretsInput{Filters: in.Filters, MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := a.list(listed, "BatchGetSecretValue", maxBatch)
	for _, s := range found {
		ids = append(ids, s.arn)
	}
	return ids, next, err
}

type describeSecretInput struct {
	SecretId string
}

// secretDetail is what DescribeSecret and ListSecrets show of a secret.
type secretDetail struct {
	ARN              string
	CreatedDate      epoch
	DeletedDate      epoch  `json:",omitzero"`
	Description      string `json:",omitempty"`
	KmsKeyId         string `json:",omitempty"`
	LastAccessedDate epoch  `json:",omitzero"`
	LastChangedDate  epoch
	Name             string
	Tags             []tag `json:",omitempty"`
}

type describeSecretOutput struct {
	secretDetail
	VersionIdsToStages map[string][]string `json:",omitempty"`
}

// describeSecret also works on a secret that is scheduled for deletion, which is how one sees when it will go.
func (a *account) describeSecret(in describeSecretInput) (describeSecretOutput, error) {
	s, err := a.find(in.SecretId)
	if err != nil {
		return describeSecretOutput{}, err
	}
	return describeSecretOutput{s.detail(), s.stages()}, nil
}

func (s *secret) detail() secretDetail {
	tags := make([]tag, 0, len(s.tags))
	for key, value := range s.tags {
		tags = append(tags, tag{key, value})
	}
	slices.SortFunc(tags, func(a, b tag) int { return cmp.Compare(a.Key, b.Key) })
	return secretDetail{
		ARN: s.arn, CreatedDate: epoch(s.created), DeletedDate: epoch(s.deleted), Description: s.description, KmsKeyId: s.kmsKeyID,
		LastAccessedDate: epoch(s.accessed), LastChangedDate: epoch(s.changed), Name: s.name, Tags: tags,
	}
}
