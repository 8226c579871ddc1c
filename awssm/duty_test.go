package awssm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/localstack"
)

// guard is a Secrets Manager that checks what its principals may do.
type guard struct {
	free aws.Config // of somebody who may do everything
	as   func(t *testing.T, policy []localstack.Statement) aws.Config
}

// desk is a place to do a job: a folder with the tokens of ann and bob, and a store on it that may do what a policy says.
type desk struct {
	bench
	store    *tokenkeep.SecretStore
	free     *tokenkeep.SecretStore // may do everything
	ann, bob tokenkeep.Token
}

func newDesk(t *testing.T, g guard, o awssm.Options, policy []localstack.Statement) desk {
	t.Helper()
	l, direct := &link{}, secretsmanager.NewFromConfig(g.free)
	d := desk{bench: bench{Driver: newDriver(t, linked(g.as(t, policy), l), o), link: l, direct: direct}, free: newStore(t, direct, o)}
	d.SetPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	d.store = tokenkeep.NewSecretStore(d.Driver, o.Store)
	saved, err := d.free.SaveTokens(t.Context(), []tokenkeep.Token{secret("ann"), secret("bob")})
	if err != nil {
		t.Fatal(err)
	}
	d.ann, d.bob = saved[0], saved[1]
	return d
}

// annsSecret is the relative name of ann's secret.
func (d desk) annsSecret() string { return "t_p" + d.ann.ID }

// moveBack makes the oldest version of a secret current by hand, where write makes another one.
func (d desk) moveBack(t *testing.T, name string, write func() error) {
	t.Helper()
	version := d.version(t, name)
	if err := write(); err != nil {
		t.Fatal(err)
	}
	d.moveCurrent(t, name, version)
}

// annMovedBack makes an older token of ann current by hand.
func (d desk) annMovedBack(t *testing.T) {
	t.Helper()
	d.moveBack(t, d.annsSecret(), func() error { return accessToken(t.Context(), d.free, d.ann.ID, "newer") })
}

// indexMovedBack makes the index from before eve current by hand.
func (d desk) indexMovedBack(t *testing.T) {
	t.Helper()
	d.moveBack(t, "i_r", func() error { _, err := d.free.SaveToken(t.Context(), secret("eve")); return err })
}

func accessToken(ctx context.Context, s *tokenkeep.SecretStore, id, value string) error {
	_, err := s.UpdateToken(ctx, id, func(token tokenkeep.Token) (tokenkeep.Token, error) {
		token.AccessToken = value
		return token, nil
	})
	return err
}

// refresh gives ann a new access token.
func (d desk) refresh(ctx context.Context) error {
	token, err := d.store.RefreshToken(ctx, d.ann.ID, tokenkeep.Refresh{
		Good: func(stored tokenkeep.Token) bool { return stored.AccessToken == "refreshed" },
		Ask: func(context.Context, tokenkeep.Token) (tokenkeep.Token, error) {
			return tokenkeep.Token{AccessToken: "refreshed", ExpiresAt: time.Now().Add(time.Hour)}, nil
		},
	})
	if err == nil && token.AccessToken != "refreshed" {
		err = fmt.Errorf("the refresh returned %v", token)
	}
	return err
}

// repair puts right what is wrong, and checks that nothing is left and who is listed then.
func (d desk) repair(ctx context.Context, users int) error {
	report, err := d.store.Repair(ctx)
	errs := []error{err}
	for _, f := range report.Findings {
		if !f.Repaired {
			errs = append(errs, fmt.Errorf("%s: %w", f.Problem, f.Err))
		}
	}
	tokens, err := d.free.GetTokens(ctx)
	if len(tokens) != users {
		errs = append(errs, fmt.Errorf("%d tokens are listed; want %d", len(tokens), users))
	}
	return errors.Join(append(errs, err)...)
}

// duty is a part of jobs.
type duty struct {
	name string
	jobs []awssm.Job
	do   func(t *testing.T, d desk) error
}

var (
	everyJob = []awssm.Job{awssm.JobRead, awssm.JobRefresh, awssm.JobWrite, awssm.JobOperator}
	updaters = []awssm.Job{awssm.JobRefresh, awssm.JobWrite, awssm.JobOperator}
	writers  = []awssm.Job{awssm.JobWrite}
	cleaners = []awssm.Job{awssm.JobWrite, awssm.JobOperator}
	operator = []awssm.Job{awssm.JobOperator}
)

var duties = slices.Concat(readDuties, writeDuties, operatorDuties)

var readDuties = []duty{
	{"find a token by its ID", everyJob, func(t *testing.T, d desk) error {
		_, err := d.store.FindTokenByID(t.Context(), d.ann.ID)
		return err
	}},
	{"find a token by its user", everyJob, func(t *testing.T, d desk) error {
		_, err := d.store.FindToken(t.Context(), tokenkeep.Token{UserName: "ann"})
		return err
	}},
	{"miss a token", everyJob, func(t *testing.T, d desk) error {
		if _, err := d.store.FindToken(t.Context(), secret("eve")); !errors.Is(err, tokenkeep.ErrNotFound) {
			return fmt.Errorf("the error is %w; want ErrNotFound", err)
		}
		return nil
	}},
	{"list all tokens in two calls", everyJob, func(t *testing.T, d desk) error {
		tokens, err := d.store.GetTokens(t.Context())
		if n := d.link.count(""); err == nil && (len(tokens) != 2 || n != 2) {
			err = fmt.Errorf("%d tokens in %d calls", len(tokens), n)
		}
		return err
	}},
}

var writeDuties = []duty{
	{"update a token", updaters, func(t *testing.T, d desk) error {
		return accessToken(t.Context(), d.store, d.ann.ID, "new")
	}},
	{"update a token that was moved back by hand", updaters, func(t *testing.T, d desk) error {
		d.annMovedBack(t)
		return accessToken(t.Context(), d.store, d.ann.ID, "new")
	}},
	{"refresh a token", updaters, func(t *testing.T, d desk) error { return d.refresh(t.Context()) }},
	{"refresh a token that was moved back by hand", updaters, func(t *testing.T, d desk) error {
		d.annMovedBack(t)
		return d.refresh(t.Context())
	}},
	{"save a new refresh token", cleaners, func(t *testing.T, d desk) error {
		_, err := d.store.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", ClientID: "web", RefreshToken: canary + "-another"})
		return err
	}},
	{"rename a token", cleaners, func(t *testing.T, d desk) error {
		_, err := d.store.UpdateToken(t.Context(), d.ann.ID, func(token tokenkeep.Token) (tokenkeep.Token, error) {
			token.UserName = "anna"
			return token, nil
		})
		return err
	}},
	{"save a new token", writers, func(t *testing.T, d desk) error {
		_, err := d.store.SaveToken(t.Context(), secret("eve"))
		return err
	}},
	{"save the first token", writers, func(t *testing.T, d desk) error {
		for _, name := range []string{"i_r", d.annsSecret(), "t_p" + d.bob.ID} {
			d.deleteForGood(t, name)
		}
		_, err := d.store.SaveToken(t.Context(), secret("eve"))
		return err
	}},
	{"save a new token after the index was moved back by hand", writers, func(t *testing.T, d desk) error {
		d.indexMovedBack(t)
		_, err := d.store.SaveToken(t.Context(), secret("fay"))
		return err
	}},
	{"save a token again that was deleted", writers, func(t *testing.T, d desk) error {
		if err := d.free.DeleteToken(t.Context(), d.ann.ID); err != nil {
			t.Fatal(err)
		}
		_, err := d.store.SaveToken(t.Context(), secret("ann"))
		return err
	}},
	{"delete a token", cleaners, func(t *testing.T, d desk) error { return d.store.DeleteToken(t.Context(), d.ann.ID) }},
	{"delete a token that was moved back by hand", cleaners, func(t *testing.T, d desk) error {
		d.annMovedBack(t)
		return d.store.DeleteToken(t.Context(), d.ann.ID)
	}},
	{"delete all tokens", cleaners, func(t *testing.T, d desk) error { return d.store.DeleteTokens(t.Context()) }},
}

var operatorDuties = []duty{
	{"verify", operator, func(t *testing.T, d desk) error {
		report, err := d.store.Verify(t.Context())
		errs := []error{err}
		for _, f := range report.Findings {
			errs = append(errs, fmt.Errorf("%s: %w", f.Problem, f.Err))
		}
		if err == nil && (report.Tokens != 2 || !report.Scanned) {
			errs = append(errs, fmt.Errorf("the report is %+v", report))
		}
		return errors.Join(errs...)
	}},
	{"repair a lost index", operator, func(t *testing.T, d desk) error {
		d.deleteForGood(t, "i_r")
		return d.repair(t.Context(), 2)
	}},
	{"repair a token that was moved back by hand", operator, func(t *testing.T, d desk) error {
		d.annMovedBack(t)
		return d.repair(t.Context(), 2)
	}},
	{"repair an index that was moved back by hand", operator, func(t *testing.T, d desk) error {
		d.indexMovedBack(t)
		return d.repair(t.Context(), 3)
	}},
}
