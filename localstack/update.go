package localstack

type updateSecretInput struct {
	ClientRequestToken *string
	Description        *string
	KmsKeyId           *string
	SecretBinary       []byte
	SecretId           string
	SecretString       *string
	Type               *string
}

type updateSecretOutput struct {
	ARN, Name string
	VersionId string `json:",omitempty"`
}

// updateSecret changes what the request has: a value makes a new version, which becomes AWSCURRENT, and without one there
// is none. Unlike PutSecretValue it is no success to repeat: a ClientRequestToken that is the ID of a version is an error,
// whatever the value (Secrets Manager API reference, UpdateSecret).
func (a *account) updateSecret(in updateSecretInput) (updateSecretOutput, error) {
	v, hasValue, err := checkUpdate(in)
	if err != nil {
		return updateSecretOutput{}, err
	}
	s, err := a.findLive(in.SecretId)
	if err != nil {
		return updateSecretOutput{}, err
	}
	now := a.now()
	out := updateSecretOutput{ARN: s.arn, Name: s.name}
	if hasValue {
		out.VersionId = *in.ClientRequestToken
		if s.versions[out.VersionId] != nil {
			return updateSecretOutput{}, s.tokenInUse(out.VersionId)
		}
		if err := s.put(out.VersionId, v, nil, now); err != nil {
			return updateSecretOutput{}, err
		}
	}
	if in.Description != nil {
		s.description, s.changed = *in.Description, now
	}
	if in.KmsKeyId != nil {
		s.encryptWith(*in.KmsKeyId)
		s.changed = now
	}
	a.listed.note(s, now)
	return out, nil
}

func checkUpdate(in updateSecretInput) (value, bool, error) {
	if in.ClientRequestToken != nil {
		if err := checkToken(in.ClientRequestToken); err != nil {
			return value{}, false, err
		}
	}
	if _, err := checkOptional("description", in.Description, 0, maxDescription); err != nil {
		return value{}, false, err
	}
	if _, err := checkOptional("kmsKeyId", in.KmsKeyId, 0, maxKMSKeyID); err != nil {
		return value{}, false, err
	}
	if in.Type != nil {
		return value{}, false, errType
	}
	v, hasValue, err := checkValue(in.SecretString, in.SecretBinary)
	if hasValue && in.ClientRequestToken == nil && err == nil {
		err = errNoToken
	}
	return v, hasValue, err
}

// encryptWith changes the key of later versions, and of those with a label of AWS's own (Secrets Manager API reference,
// UpdateSecret, KmsKeyId). Other versions keep theirs.
func (s *secret) encryptWith(key string) {
	s.kmsKeyID = key
	for _, label := range []string{labelCurrent, labelPending, labelPrevious} {
		if v := s.versions[s.labels[label]]; v != nil {
			v.kmsKeyID = key
		}
	}
}
