package main

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/oauth"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newRefresh(g *global) *cobra.Command {
	var o refreshFlags
	cmd := &cobra.Command{
		Use:   "refresh [ID]",
		Short: "Refresh a token now, or those that end soon or lie idle",
		Long: `refresh ID refreshes a token now, though it may be good, once for all programs that share the store. Exit status 5 says that
the user must log in again, 1 also that the provider is to be left alone after a failure; stderr says for how long. --force
asks all the same, and clears both where the store has them.

With --expiring or --idle it keeps tokens alive, for providers end refresh tokens that nobody uses. It refreshes the tokens with a
refresh token that "tokenkeep list" lists for the one flag or the other, in turn, beginning with those whose access token ended
first; where no end is known, the time of the last refresh counts. What another program refreshes meanwhile is not refreshed
again, what needs a login is told and left alone, and when the provider says that it was asked too often, the other tokens of that
client are left for the next run. A failure stops nothing else, and Ctrl-C lets the token under way come to its end.

Exit status of such a run: 0 done, 5 all that is left to do is logins, 1 something else failed.

A file or a table has no place for who refreshes a token, for the wait after a failure, or for a refusal: run it where no other
program refreshes their tokens.` + endpointHelp + ` In a store with tokens of several providers, name the client too.` + storeHelp,
		Example: `  tokenkeep refresh 5h8920jsvcf2uv8kmaqd8rhu
  tokenkeep refresh --idle 30d --limit 1000
  tokenkeep refresh --expiring 10m --client app --token-url https://login.example.com/oauth2/token`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, args); err != nil {
				return err
			}
			return g.with(cmd.Context(), func(store storeurl.Store) error {
				r := &refresher{store: store, provider: &counted{Provider: providerAt(o.tokenURL, "")}, force: o.force}
				if len(args) == 0 {
					return g.keepAlive(cmd, r, o)
				}
				return g.refresh(cmd, r, args[0])
			})
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.force, "force", false, "also where a login is needed, or the provider is to be left alone for a while")
	flags.Var(&o.expiring, "expiring", "refresh the tokens whose access or refresh token ends within this `time`, as 90m or 30d, or has ended")
	flags.Var(&o.idle, "idle", "refresh the tokens that for this `time` were neither refreshed nor valid; not those of which neither is known")
	flags.StringVar(&o.client, "client", "", "with --expiring or --idle, only tokens of the client with this `ID`")
	flags.UintVar(&o.limit, "limit", 0, "with --expiring or --idle, ask the provider for no more than this `number` of tokens (0: any)")
	endpointFlag(cmd, &o.tokenURL)
	return cmd
}

type refreshFlags struct {
	force            bool
	expiring, idle   span
	client, tokenURL string
	limit            uint
}

func (o refreshFlags) check(cmd *cobra.Command, args []string) error {
	many := o.expiring.set || o.idle.set
	switch {
	case len(args) == 0 && !many:
		return usage("name a token by its ID, or give --expiring or --idle")
	case len(args) == 0 && o.force:
		return usage("--force is for one token: give its ID, and neither --expiring nor --idle")
	case len(args) == 1 && (many || cmd.Flags().Changed("client") || cmd.Flags().Changed("limit")):
		return usage("with an ID there are no --expiring, --idle, --client and --limit")
	}
	return checkEndpoint(o.tokenURL)
}

// refresh refreshes one token.
func (g *global) refresh(cmd *cobra.Command, r *refresher, id string) error {
	t, err := r.store.FindTokenByID(cmd.Context(), id)
	if err != nil {
		return err
	}
	done := r.renew(cmd.Context(), t, oauth.RefreshOptions{Force: r.force})
	var all kept
	all.add(done)
	return errors.Join(done.err, g.print(cmd, all, func(w io.Writer) error {
		_, err := io.WriteString(w, done.line())
		return err
	}))
}

// refresher refreshes tokens of a store.
type refresher struct {
	store    tokenkeep.Store
	provider *counted
	force    bool
}

const (
	// finishTime is for how long a refresh goes on that was under way at a Ctrl-C: a new refresh token must not be lost.
	finishTime = 30 * time.Second
	// Where the store does not take a refreshed token, which may hold the only refresh token there is, it is saved so often again.
	saveAttempts = 6
	savePause    = 5 * time.Second
)

// renew refreshes a token, and tells what came of it.
func (r *refresher) renew(ctx context.Context, t tokenkeep.Token, o oauth.RefreshOptions) renewed {
	ctx, cancel := withPatience(ctx, finishTime)
	defer cancel()
	var mine atomic.Bool
	source := oauth.NewSource(r.store, tokenkeep.Token{ID: t.ID}, oauth.Options{
		Provider: r.provider, OnRefresh: func(tokenkeep.Token) { mine.Store(true) },
	})
	tok, err := source.Refresh(ctx, o)
	tok, err = keepSaving(ctx, source, tok, err)
	return resultOf(t, tok, err, mine.Load())
}

// keepSaving saves a refreshed token again that the store did not take, while ctx lasts.
func keepSaving(ctx context.Context, source *oauth.Source, tok *oauth2.Token, err error) (*oauth2.Token, error) {
	var unsaved *tokenkeep.UnsavedError
	for i := 0; i < saveAttempts && errors.As(err, &unsaved) && ctx.Err() == nil; i++ {
		select {
		case <-time.After(savePause):
		case <-ctx.Done():
		}
		tok, err = source.Refresh(ctx, oauth.RefreshOptions{Unless: func(tokenkeep.Token) bool { return true }})
	}
	return tok, err
}

// resultOf tells what became of a token that a source was to refresh.
func resultOf(t tokenkeep.Token, tok *oauth2.Token, err error, mine bool) renewed {
	done := renewed{ID: t.ID, UserName: t.UserName, err: err}
	switch {
	case err == nil && mine:
		done.Result, done.ExpiresAt = byThis, tok.Expiry.UTC()
	case err == nil:
		done.Result, done.ExpiresAt = byAnother, tok.Expiry.UTC()
	case errors.Is(err, oauth.ErrReauthorize):
		done.Result, done.Since = needsLogin, time.Now().UTC().Truncate(time.Second)
		if t.Reauthorize != nil {
			done.Since = t.Reauthorize.Since
		}
	default:
		done.Result, done.Error = failed, err.Error()
	}
	return done
}
