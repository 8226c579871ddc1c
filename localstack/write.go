package localstack

var errType = invalidParameter("Type isn't supported by this server, which has no managed external secrets.")

type createSecretInput struct {
	AddReplicaRegions  []struct{ Region string }
	ClientRequestToken *string
	Description        string
	KmsKeyId           string
	Name               string
	SecretBinary       []byte
	SecretString       *string
	Tags               []tag
	Type               *string
}

type createSecretOutput struct {
	ARN, Name string
	VersionId string `json:",omitempty"`
}

// createSecret begins a life. Of a name that is in use it is ResourceExistsException, unless the secret has the version
// that the request would make: then this is the repeat of a request whose reply was lost, and it succeeds.
func (a *account) createSecret(in createSecretInput) (createSecretOutput, error) {
	v, hasValue, err := checkCreate(in)
	if err != nil {
		return createSecretOutput{}, err
	}
	out := createSecretOutput{Name: in.Name}
	if hasValue {
		out.VersionId = *in.ClientRequestToken
	}
	if old := a.holder(in.Name); old != nil {
		out.ARN = old.arn
		return out, old.recreate(out.VersionId, v)
	}
	now := a.now()
	s := &secret{
		arn: newARN(in.Name), name: in.Name, description: in.Description, kmsKeyID: in.KmsKeyId, serial: a.serial,
		created: now, changed: now, tags: map[string]string{}, versions: map[string]*version{}, labels: map[string]string{},
	}
	if err := s.tag(in.Tags); err != nil {
		return createSecretOutput{}, err
	}
	if hasValue {
		if err := s.put(out.VersionId, v, nil, now); err != nil {
			return createSecretOutput{}, err
		}
	}
	a.serial++
	a.secrets[in.Name] = s
	a.listed.note(s, now)
	out.ARN = s.arn
	return out, nil
}

func checkCreate(in createSecretInput) (value, bool, error) {
	if err := checkName(in.Name); err != nil {
		return value{}, false, err
	}
	if err := checkToken(in.ClientRequestToken); err != nil {
		return value{}, false, err
	}
	if err := checkLength("description", in.Description, 0, maxDescription); err != nil {
		return value{}, false, err
	}
	if err := checkLength("kmsKeyId", in.KmsKeyId, 0, maxKMSKeyID); err != nil {
		return value{}, false, err
	}
	if len(in.AddReplicaRegions) > 0 {
		return value{}, false, invalidParameter("AddReplicaRegions isn't supported by this server, which has one region.")
	}
	if in.Type != nil {
		return value{}, false, errType
	}
	return checkValue(in.SecretString, in.SecretBinary)
}

// recreate says what CreateSecret answers for a secret that exists.
func (s *secret) recreate(id string, v value) error {
	switch old := s.versions[id]; {
	case !s.deleted.IsZero():
		return errNameScheduled
	case old == nil:
		return exists("The operation failed because the secret %s already exists.", s.name)
	case old.value != v:
		return s.tokenInUse(id)
	}
	return nil
}

type putSecretValueInput struct {
	ClientRequestToken *string
	SecretBinary       []byte
	SecretId           string
	SecretString       *string
	VersionStages      []string
}

type putSecretValueOutput struct {
	ARN, Name, VersionId string
	VersionStages        []string
}

func (a *account) putSecretValue(in putSecretValueInput) (putSecretValueOutput, error) {
	if err := checkToken(in.ClientRequestToken); err != nil {
		return putSecretValueOutput{}, err
	}
	if err := checkLabels(in.VersionStages); err != nil {
		return putSecretValueOutput{}, err
	}
	v, hasValue, err := checkValue(in.SecretString, in.SecretBinary)
	if err != nil {
		return putSecretValueOutput{}, err
	}
	if !hasValue {
		return putSecretValueOutput{}, errNoValue
	}
	s, err := a.findLive(in.SecretId)
	if err != nil {
		return putSecretValueOutput{}, err
	}
	id, now := *in.ClientRequestToken, a.now()
	if err := s.put(id, v, in.VersionStages, now); err != nil {
		return putSecretValueOutput{}, err
	}
	a.listed.note(s, now)
	return putSecretValueOutput{s.arn, s.name, id, s.labelsOf(id)}, nil
}

type updateSecretVersionStageInput struct {
	MoveToVersionId, RemoveFromVersionId *string
	SecretId, VersionStage               string
}

// secretOutput names the secret that an action changed.
type secretOutput struct{ ARN, Name string }

func (a *account) updateSecretVersionStage(in updateSecretVersionStageInput) (secretOutput, error) {
	if err := checkLength("versionStage", in.VersionStage, 1, maxLabel); err != nil {
		return secretOutput{}, err
	}
	to, err := checkOptional("moveToVersionId", in.MoveToVersionId, minToken, maxToken)
	if err != nil {
		return secretOutput{}, err
	}
	from, err := checkOptional("removeFromVersionId", in.RemoveFromVersionId, minToken, maxToken)
	if err != nil {
		return secretOutput{}, err
	}
	s, err := a.findLive(in.SecretId)
	if err != nil {
		return secretOutput{}, err
	}
	now := a.now()
	if err := s.move(in.VersionStage, to, from, now); err != nil {
		return secretOutput{}, err
	}
	a.listed.note(s, now)
	return secretOutput{s.arn, s.name}, nil
}
