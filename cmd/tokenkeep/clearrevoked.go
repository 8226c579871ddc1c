package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
)

// cleared is what clear did with --revoke.
type cleared struct {
	Deleted         int      `json:"deleted"`
	Revoked         int      `json:"revoked"`
	AlreadyInvalid  int      `json:"already_invalid"`
	NothingToRevoke int      `json:"nothing_to_revoke"`
	Kept            []string `json:"kept"` // IDs of those that were not deleted
}

// clearRevoked revokes and deletes tokens one after the other. It deletes none but these: DeleteTokens would take those that
// were saved meanwhile too, unrevoked. What the index has of deleted tokens goes by itself, after a day.
func (g *global) clearRevoked(cmd *cobra.Command, store tokenkeep.Store, ids []string) error {
	r, err := newRevoker(store)
	if err != nil {
		return err
	}
	done, err := r.removeAll(cmd.Context(), ids)
	return errors.Join(g.print(cmd, done, done.text), err)
}

// removeAll goes on where a token cannot be revoked, but not where Zoho takes no more requests or ctx has ended.
func (r *revoker) removeAll(ctx context.Context, ids []string) (cleared, error) {
	done := cleared{Kept: []string{}}
	var errs []error
	for i, id := range ids {
		how, err := r.remove(ctx, id)
		var kept *keptError
		switch {
		case errors.As(err, &kept):
			done.Kept = append(done.Kept, id)
			errs = append(errs, err)
		case err == nil:
			done.count(how)
		} // else it is gone already
		if rest := ids[i+1:]; len(rest) > 0 && (errors.Is(err, tokenkeep.ErrThrottled) || ctx.Err() != nil) {
			done.Kept = append(done.Kept, rest...)
			errs = append(errs, fmt.Errorf("stopped there: %s of %d not tried; run the command again later", plural(len(rest), "token"), len(ids)))
			break
		}
	}
	return done, errors.Join(errs...)
}

func (c *cleared) count(how revocation) {
	c.Deleted++
	switch how {
	case revoked:
		c.Revoked++
	case alreadyInvalid:
		c.AlreadyInvalid++
	case nothingToRevoke:
		c.NothingToRevoke++
	}
}

func (c *cleared) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "deleted %s: revoked %d, already invalid %d, nothing to revoke %d; kept %d\n",
		plural(c.Deleted, "token"), c.Revoked, c.AlreadyInvalid, c.NothingToRevoke, len(c.Kept))
	return err
}
