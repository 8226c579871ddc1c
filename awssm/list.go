package awssm

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

const (
	listPage = 100             // secrets in one reply, the most (API reference, ListSecrets)
	listLag  = 5 * time.Minute // "ListSecrets might not reflect changes from the last five minutes" (API reference, ListSecrets)
)

// List names the secrets whose names begin with PREFIX and a slash, in 1 call for 100 of them. What is scheduled for
// deletion or ends in a tombstone is left out. Whatever comes after that slash is yielded, another slash too: a secret
// of a folder inside this one. It needs the action ListSecrets on *, for which a policy cannot name secrets.
func (s *secrets) List(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		failed := func(a *attempts, err error) {
			yield("", fmt.Errorf("ListSecrets: %w", s.cause(ctx, "ListSecrets", s.FullName("*"), a, err)))
		}
		pages := s.listPages()
		for seen := map[string]bool{}; pages.HasMorePages(); {
			a := s.reads()
			page, err := pages.NextPage(ctx, a.option)
			if err != nil {
				failed(a, err)
				return
			}
			for _, entry := range page.SecretList {
				name, ok := strings.CutPrefix(aws.ToString(entry.Name), s.FullName(""))
				if !ok || seen[name] || endsInTombstone(entry.SecretVersionsToStages) {
					continue
				}
				seen[name] = true // a name created again has another place in the list
				if err := ctx.Err(); err != nil {
					failed(a, err)
					return
				}
				if !yield(name, nil) {
					return
				}
			}
		}
	}
}

func (s *secrets) listPages() *secretsmanager.ListSecretsPaginator {
	// The filter compares beginnings, in the case given (API reference, Filter).
	in := &secretsmanager.ListSecretsInput{
		Filters:    []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{s.FullName("")}}},
		MaxResults: aws.Int32(listPage),
	}
	return secretsmanager.NewListSecretsPaginator(s.client, in, func(o *secretsmanager.ListSecretsPaginatorOptions) {
		o.StopOnDuplicateToken = true
	})
}

// Lag is 5 minutes.
func (s *secrets) Lag() time.Duration { return listLag }
