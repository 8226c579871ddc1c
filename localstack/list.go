package localstack

import (
	"cmp"
	"slices"
	"time"
)

type listSecretsInput struct {
	Filters                []filter
	IncludePlannedDeletion bool
	MaxResults             *int
	NextToken              *string
	SortBy, SortOrder      string
}

type secretListEntry struct {
	secretDetail
	SecretVersionsToStages map[string][]string `json:",omitempty"`
}

type listSecretsOutput struct {
	NextToken  string `json:",omitempty"`
	SecretList []secretListEntry
}

func (a *account) listSecrets(in listSecretsInput) (listSecretsOutput, error) {
	found, next, err := a.list(in, "ListSecrets", maxPage)
	if err != nil {
		return listSecretsOutput{}, err
	}
	out := listSecretsOutput{NextToken: next, SecretList: []secretListEntry{}}
	for _, s := range found {
		out.SecretList = append(out.SecretList, secretListEntry{s.detail(), s.stages()})
	}
	return out, nil
}

// list returns a page of the secrets that a request means. of names the list for its page tokens.
func (a *account) list(in listSecretsInput, of string, most int) ([]*secret, string, error) {
	key, err := sortKey(in.SortBy)
	if err != nil {
		return nil, "", err
	}
	if !slices.Contains([]string{"", "asc", "desc"}, in.SortOrder) {
		return nil, "", invalid("sortOrder", "satisfy enum value set: [asc, desc]")
	}
	if err := checkFilters(in.Filters); err != nil {
		return nil, "", err
	}
	var found []*secret
	for _, s := range a.listed.show(a.now()) {
		if (in.IncludePlannedDeletion || s.deleted.IsZero()) && matchAll(in.Filters, s) {
			found = append(found, s)
		}
	}
	token, err := checkOptional("nextToken", in.NextToken, 1, maxNextToken)
	if err != nil {
		return nil, "", err
	}
	p := pager{of: of + " " + in.SortBy + " " + in.SortOrder, token: token, size: in.MaxResults, most: most, descending: in.SortOrder == "desc"}
	return page(p, found, func(s *secret) place { return place{key(s), s.serial} })
}

// sortKey returns what a list is ordered by, as strings whose order is that of the values.
func sortKey(by string) (func(*secret) string, error) {
	sortable := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000") }
	switch by {
	case "", "created-date":
		return func(*secret) string { return "" }, nil // the serial number decides
	case "last-accessed-date":
		return func(s *secret) string { return sortable(s.accessed) }, nil
	case "last-changed-date":
		return func(s *secret) string { return sortable(s.changed) }, nil
	case "name":
		return func(s *secret) string { return s.name }, nil
	}
	return nil, invalid("sortBy", "satisfy enum value set: [created-date, last-accessed-date, last-changed-date, name]")
}

type listSecretVersionIDsInput struct {
	IncludeDeprecated bool
	MaxResults        *int
	NextToken         *string
	SecretId          string
}

type versionListEntry struct {
	CreatedDate      epoch
	KmsKeyIds        []string
	LastAccessedDate epoch `json:",omitzero"`
	VersionId        string
	VersionStages    []string `json:",omitempty"`
}

type listSecretVersionIDsOutput struct {
	ARN, Name string
	NextToken string `json:",omitempty"`
	Versions  []versionListEntry
}

// listSecretVersionIDs lists versions, oldest first. One without a label is deprecated and left out unless asked for.
func (a *account) listSecretVersionIDs(in listSecretVersionIDsInput) (listSecretVersionIDsOutput, error) {
	token, err := checkOptional("nextToken", in.NextToken, 1, maxNextToken)
	if err != nil {
		return listSecretVersionIDsOutput{}, err
	}
	s, err := a.find(in.SecretId)
	if err != nil {
		return listSecretVersionIDsOutput{}, err
	}
	var found []*version
	for id, v := range s.versions {
		if in.IncludeDeprecated || len(s.labelsOf(id)) > 0 {
			found = append(found, v)
		}
	}
	p := pager{of: "ListSecretVersionIds " + s.arn, token: token, size: in.MaxResults, most: maxPage}
	found, next, err := page(p, found, func(v *version) place { return place{serial: v.serial} })
	if err != nil {
		return listSecretVersionIDsOutput{}, err
	}
	out := listSecretVersionIDsOutput{ARN: s.arn, Name: s.name, NextToken: next, Versions: []versionListEntry{}}
	for _, v := range found {
		key := cmp.Or(v.kmsKeyID, "DefaultEncryptionKey")
		out.Versions = append(out.Versions, versionListEntry{epoch(v.created), []string{key}, epoch(v.accessed), v.id, s.labelsOf(v.id)})
	}
	return out, nil
}
