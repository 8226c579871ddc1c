package awssm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
)

// verdicts are the states of a store that were examined, and the tokens listed in each. A state that comes again is not
// examined again, unless TOKENKEEP_SOAK is set.
type verdicts map[string][]string

// judge checks what is there after an operation.
func (c *trial) judge(seen verdicts) {
	expected, saved, state := c.expected(), c.saved, "as it began"
	if c.account.Writes() > 0 {
		state = c.state()
	}
	listed, ok := seen[state]
	if !ok || os.Getenv("TOKENKEEP_SOAK") != "" {
		listed = c.list()
		c.examine()
		seen[state] = listed
	}
	c.compare(listed, expected)
	for _, token := range saved {
		if !slices.Contains(listed, look(token)) {
			c.t.Errorf("%q was acknowledged and is not listed", look(token))
		}
	}
}

// compare compares the tokens that are listed with what was acknowledged.
func (c *trial) compare(listed []string, expected []change) {
	rest := slices.Clone(listed)
	take := func(want ...string) bool {
		i := slices.IndexFunc(rest, func(token string) bool { return slices.Contains(want, token) })
		if i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		}
		return i >= 0 || slices.Contains(want, "")
	}
	for _, change := range expected {
		want := []string{change.after}
		if c.err != nil || c.dead() {
			want = append(want, change.before)
		}
		if !take(want...) {
			c.t.Errorf("%q is not listed, but %q", want, listed)
		}
	}
	if len(rest) > 0 {
		c.t.Errorf("%q are listed too", rest)
	}
}

// expected returns the changes that the operation may have made, or has made.
func (c *trial) expected() []change {
	if !c.refreshes {
		return c.changes
	}
	newest := look(c.provider.token())
	changes := slices.Clone(c.changes) // ann's first
	changes[0].after = newest
	if !c.dead() {
		changes[0].before = newest // whoever lives on loses no answer of the provider
	}
	return changes
}

// examine checks that a store is sound, that the operation succeeds now, and that nothing is left to find after a repair.
func (c *trial) examine() {
	ctx := c.t.Context()
	report, err := c.other().Verify(ctx)
	c.checkReport("Verify", report, err, tokenkeep.Unfinished, tokenkeep.Stale)
	if err := c.again(ctx); err != nil {
		c.t.Errorf("the same later: %v", err)
	}
	c.checkDone("after the same later")
	time.Sleep(25 * time.Hour)
	report, err = c.other().Repair(ctx)
	if err != nil {
		c.t.Errorf("Repair: %v", err)
	}
	if len(report.Findings) > 0 { // else it has just looked
		report, err = c.other().Verify(ctx)
		c.checkReport("Verify after Repair", report, err)
	}
	if c.index > 0 && report.IndexSecrets != c.index {
		c.t.Errorf("the index has %d secrets; want %d", report.IndexSecrets, c.index)
	}
	if c.o.RecoveryWindow > 0 {
		c.restoreAll(ctx)
	}
	c.checkDone("in the end")
}

// again does the same through another handle. Where a process died with an answer of the provider, which no design can
// save, it ends in ErrReauthorize, and succeeds after a login.
func (c *trial) again(ctx context.Context) error {
	err := c.do(ctx, c.other(), c)
	if !c.refreshes || !c.dead() || !errors.Is(err, tokenkeep.ErrReauthorize) {
		return err
	}
	if _, err := c.other().SaveToken(ctx, c.provider.logIn()); err != nil {
		return err
	}
	return c.do(ctx, c.other(), c)
}

// checkDone checks that the operation has done all its changes.
func (c *trial) checkDone(when string) {
	want := []string{}
	for _, change := range c.expected() {
		if change.after != "" {
			want = append(want, change.after)
		}
	}
	slices.Sort(want)
	if listed := c.list(); !slices.Equal(listed, want) {
		c.t.Errorf("%s: %q are listed; want %q", when, listed, want)
	}
}

func (c *trial) checkReport(what string, report tokenkeep.Report, err error, harmless ...tokenkeep.Problem) {
	if err != nil {
		c.t.Errorf("%s: %v", what, err)
	}
	for _, finding := range report.Findings {
		if !slices.Contains(harmless, finding.Problem) {
			c.t.Errorf("%s finds: %s, %s, %v", what, finding.Problem, finding.Secret, finding.Err)
		}
	}
}

// restoreAll puts back by hand what was deleted with a recovery window.
func (c *trial) restoreAll(ctx context.Context) {
	all, err := c.sound.ListSecrets(ctx, &secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, secret := range all.SecretList {
		if secret.DeletedDate == nil {
			continue
		}
		if _, err := c.sound.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: secret.ARN}); err != nil {
			c.t.Error(err)
		}
	}
}

// list returns what another process lists.
func (c *trial) list() []string {
	tokens, err := c.other().GetTokens(c.t.Context())
	if err != nil {
		c.t.Errorf("GetTokens: %v", err)
	}
	listed := []string{}
	for _, token := range tokens {
		listed = append(listed, look(token))
	}
	slices.Sort(listed)
	return listed
}

// look is what the ordeals look at of a token.
func look(t tokenkeep.Token) string {
	return strings.Join([]string{t.UserName, t.ClientID, t.RefreshToken, t.AccessToken}, " ")
}

// state describes all that the account holds, but for times, nonces and the names of versions.
func (c *trial) state() string {
	ctx := c.t.Context()
	secrets := map[string]string{}
	pages := secretsmanager.NewListSecretsPaginator(c.sound, &secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, secret := range page.SecretList {
			var labels []string
			for _, stages := range secret.SecretVersionsToStages {
				labels = append(labels, fmt.Sprint(slices.Sorted(slices.Values(stages))))
			}
			slices.Sort(labels)
			secrets[aws.ToString(secret.Name)] = fmt.Sprint(labels, secret.DeletedDate != nil)
		}
	}
	for names := range slices.Chunk(slices.Sorted(maps.Keys(secrets)), 20) {
		batch, err := c.sound.BatchGetSecretValue(ctx, &secretsmanager.BatchGetSecretValueInput{SecretIdList: names})
		if err != nil {
			c.t.Fatal(err)
		}
		for _, value := range batch.SecretValues {
			secrets[aws.ToString(value.Name)] += plain(c.t, aws.ToString(value.SecretString))
		}
	}
	return fmt.Sprint(secrets, look(c.provider.token()))
}

// plain leaves out of a payload what differs from run to run.
func plain(t *testing.T, payload string) string {
	var v any
	if err := json.Unmarshal([]byte(payload), &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any) any
	strip = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "nonce")
			for key, inner := range v {
				v[key] = strip(inner)
			}
		case []any:
			for i, inner := range v {
				v[i] = strip(inner)
			}
		case string:
			if _, err := time.Parse(time.RFC3339, v); err == nil {
				return "time"
			}
		}
		return v
	}
	text, err := json.Marshal(strip(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
