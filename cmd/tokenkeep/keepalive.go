package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/oauth"
)

// keepAlive refreshes the tokens that are due, one after the other: what limits it is the provider.
func (g *global) keepAlive(cmd *cobra.Command, r *refresher, o refreshFlags) error {
	ctx := cmd.Context()
	tokens, unread := o.due(ctx, r.store, time.Now())
	sweep := &sweep{refresher: r, limit: o.limit, throttled: map[string]bool{}}
	all := kept{Tokens: []renewed{}}
	var unwritten error
	for _, t := range tokens {
		done, ok := sweep.next(ctx, t)
		if !ok {
			all.Left++
			continue
		}
		all.add(done)
		if !g.json {
			_, err := io.WriteString(cmd.OutOrStdout(), done.line())
			unwritten = errors.Join(unwritten, err)
		}
	}
	unwritten = errors.Join(unwritten, g.print(cmd, all, all.summary))
	if err := errors.Join(unread, unwritten, ctx.Err()); err != nil || all.Failed > 0 {
		return errors.Join(err, all.failure())
	}
	if all.NeedLogin > 0 {
		return fmt.Errorf("%s: %w", plural(all.NeedLogin, "token"), oauth.ErrReauthorize)
	}
	return nil
}

// due returns the tokens that are to be refreshed, the most urgent first, and what could not be read.
func (o refreshFlags) due(ctx context.Context, store tokenkeep.Store, now time.Time) ([]tokenkeep.Token, error) {
	var tokens []tokenkeep.Token
	var errs []error
	for t, err := range all(ctx, store) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case o.isDue(t, now):
			tokens = append(tokens, t)
		}
	}
	slices.SortStableFunc(tokens, func(a, b tokenkeep.Token) int { return lastGood(a).Compare(lastGood(b)) })
	return tokens, errors.Join(errs...)
}

func (o refreshFlags) isDue(t tokenkeep.Token, now time.Time) bool {
	if t.RefreshToken == "" || o.client != "" && t.ClientID != o.client {
		return false
	}
	return o.expiring.set && filter{expiring: o.expiring}.passes(t, now) || o.idle.set && filter{idle: o.idle}.passes(t, now)
}

// sweep is one run over many tokens.
type sweep struct {
	*refresher
	limit, asked uint
	throttled    map[string]bool // clients
}

// next refreshes a token, unless it is to be left for another run.
func (s *sweep) next(ctx context.Context, t tokenkeep.Token) (renewed, bool) {
	switch {
	case t.Reauthorize != nil:
		return renewed{ID: t.ID, UserName: t.UserName, Result: needsLogin, Since: t.Reauthorize.Since}, true
	case ctx.Err() != nil, s.limit > 0 && s.asked >= s.limit, s.throttled[t.ClientID]:
		return renewed{}, false
	}
	before := s.provider.asked.Load()
	done := s.renew(ctx, t, oauth.RefreshOptions{Unless: func(stored tokenkeep.Token) bool {
		return stored.AccessToken != t.AccessToken || !stored.RefreshedAt.Equal(t.RefreshedAt) // since it was listed
	}})
	if s.provider.asked.Load() > before {
		s.asked++
		s.throttled[t.ClientID] = errors.Is(done.err, oauth.ErrThrottled)
	}
	if errors.Is(done.err, tokenkeep.ErrNotFound) {
		done = renewed{ID: t.ID, UserName: t.UserName, Result: gone}
	}
	return done, true
}

// What can become of a token.
const (
	byThis     = "refreshed"
	byAnother  = "refreshed by another program"
	needsLogin = "login needed"
	gone       = "deleted meanwhile"
	failed     = "failed"
)

// renewed is what became of a token.
type renewed struct {
	ID        string    `json:"id"`
	UserName  string    `json:"user_name,omitempty"`
	Result    string    `json:"result"`
	ExpiresAt time.Time `json:"expiry_time,omitzero"`
	Since     time.Time `json:"since,omitzero"`
	Error     string    `json:"error,omitempty"`

	err error
}

func (r renewed) line() string {
	what := r.Result
	if !r.ExpiresAt.IsZero() {
		what += " until " + moment(r.ExpiresAt)
	}
	if !r.Since.IsZero() {
		what += " since " + moment(r.Since)
	}
	if r.Error != "" {
		what += ": " + printed(strings.TrimPrefix(r.Error, "tokenkeep: "))
	}
	return fmt.Sprintf("%s  %s  %s\n", cell(r.ID), cell(r.UserName), what)
}

// kept is what became of all tokens of a run.
type kept struct {
	Tokens    []renewed `json:"tokens"`
	Refreshed int       `json:"refreshed"`
	ByAnother int       `json:"refreshed_by_another"`
	NeedLogin int       `json:"login_needed"`
	Failed    int       `json:"failed"`
	Left      int       `json:"left"`
}

func (k *kept) add(done renewed) {
	k.Tokens = append(k.Tokens, done)
	switch done.Result {
	case byThis:
		k.Refreshed++
	case byAnother:
		k.ByAnother++
	case needsLogin:
		k.NeedLogin++
	case failed:
		k.Failed++
	}
}

func (k kept) summary(w io.Writer) error {
	_, err := fmt.Fprintf(w, "refreshed %d, by another program %d, login needed %d, failed %d, left for the next run %d\n",
		k.Refreshed, k.ByAnother, k.NeedLogin, k.Failed, k.Left)
	return err
}

// failure names the tokens that failed. Its kind is none of theirs: only a run of which nothing but logins is left ends like one.
func (k kept) failure() error {
	var errs []error
	for _, t := range k.Tokens {
		if t.Result == failed {
			errs = append(errs, fmt.Errorf("token %s: %s", printed(t.ID), t.Error))
		}
	}
	return errors.Join(errs...)
}
