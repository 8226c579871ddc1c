package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/memstore"
)

type token = tokenkeep.Token

// brokenStores are stores that keep the contract but for one bug, many of them bugs of Zoho's SDKs, and the subtest
// that must notice it.
var brokenStores = []struct {
	name  string
	open  func(*memstore.Store) tokenkeep.Store
	fails string
}{
	{"an unknown user falls through to the refresh token",
		func(m *memstore.Store) tokenkeep.Store { return fallsThrough{m} },
		"FindToken/the token of a user/is not found by another user with its refresh token"},
	{"an ID-only query finds the first token",
		func(m *memstore.Store) tokenkeep.Store { return ignoresQueryID{m} },
		"FindToken/an ID decides alone"},
	{"a miss returns the query",
		func(m *memstore.Store) tokenkeep.Store { return returnsQuery{m} },
		"FindToken/an empty store finds nothing/by user"},
	{"user names are compared without case",
		func(m *memstore.Store) tokenkeep.Store { return ignoresCase{m} },
		"FindToken/the token of a user/is not found by the user in other case"},
	{"a look-up pairs an access token with the expiry of another",
		func(m *memstore.Store) tokenkeep.Store { return forgetsPairs{m} },
		"merge on find/a credential never meets the expiry of another"},
	{"a save pairs an access token with the expiry of another",
		func(m *memstore.Store) tokenkeep.Store { return savesUnpaired{m} },
		"SaveToken/a credential is replaced together with its expiry"},
	{"a look-up changes its argument",
		func(m *memstore.Store) tokenkeep.Store { return changesArgument{m} },
		"arguments/arguments are not changed"},
	{"the store keeps what it returned",
		func(m *memstore.Store) tokenkeep.Store { return &sharesMemory{Store: m} },
		"arguments/the store does not share memory with what it returned"},
	{"an empty store lists nil",
		func(m *memstore.Store) tokenkeep.Store { return listsNil{m} },
		"GetTokens/an empty store lists an empty slice"},
	{"tokens are listed backwards",
		func(m *memstore.Store) tokenkeep.Store { return listsBackwards{m} },
		"GetTokens/every token is listed once, ordered by the bytes of its ID"},
	{"deleting a missing token fails",
		func(m *memstore.Store) tokenkeep.Store { return deletesStrictly{m} },
		"delete/deleting what is not there succeeds"},
	{"a save brings a replaced refresh token back",
		func(m *memstore.Store) tokenkeep.Store { return bringsBack{m} },
		"old copies/a replaced refresh token does not come back"},
	{"a save ignores the ID",
		func(m *memstore.Store) tokenkeep.Store { return ignoresSavedID{m} },
		"SaveToken/a save by ID changes the token in place"},
	{"many saves go backwards",
		func(m *memstore.Store) tokenkeep.Store { return savesBackwards{m} },
		"SaveTokens/many tokens become what SaveToken makes of them one by one"},
	{"many saves are returned backwards",
		func(m *memstore.Store) tokenkeep.Store { return returnsBackwards{m} },
		"SaveTokens/many tokens are saved and returned in their order"},
	{"many saves end with the first that is refused",
		func(m *memstore.Store) tokenkeep.Store { return savesUntilRefused{m} },
		"SaveTokens/tokens that are refused keep no other back, and are named"},
	{"many saves return what was refused",
		func(m *memstore.Store) tokenkeep.Store { return returnsRefused{m} },
		"SaveTokens/tokens that are refused keep no other back, and are named"},
	{"many saves tell one error",
		func(m *memstore.Store) tokenkeep.Store { return tellsOneError{m} },
		"SaveTokens/tokens that are refused keep no other back, and are named"},
	{"many saves ignore the context",
		func(m *memstore.Store) tokenkeep.Store { return savesManyAnyway{m} },
		"SaveTokens/nothing is saved after the end of the context"},
	{"many saves change their argument",
		func(m *memstore.Store) tokenkeep.Store { return changesMany{m} },
		"SaveTokens/arguments and results are not shared"},
	{"an error of many saves quotes a token",
		func(m *memstore.Store) tokenkeep.Store { return quotesMany{m} },
		"SaveTokens/no error holds a credential"},
	{"handles do not see each other's many tokens",
		func(*memstore.Store) tokenkeep.Store { return memstore.New() },
		"SaveTokens/many tokens saved at once are all there, once each"},
	{"a conflict of identities is swallowed",
		func(m *memstore.Store) tokenkeep.Store { return swallowsConflict{m} },
		"refused saves/a rename to a user who has a token is a conflict"},
	{"invalid UTF-8 is replaced silently",
		func(m *memstore.Store) tokenkeep.Store { return repairsText{m} },
		"refused saves/invalid UTF-8 in any field is invalid"},
	{"the context is ignored",
		func(m *memstore.Store) tokenkeep.Store { return ignoresContext{m} },
		"context/every method stops when its context was cancelled"},
	{"an error quotes the token",
		func(m *memstore.Store) tokenkeep.Store { return quotesToken{m} },
		"secrecy/no error holds a credential"},
	{"a handle prints what it read last",
		func(m *memstore.Store) tokenkeep.Store { return &printsLast{Store: m} },
		"secrecy/no handle prints a credential"},
	{"handles do not see each other's tokens",
		func(*memstore.Store) tokenkeep.Store { return memstore.New() },
		"concurrency/first saves of one user at once make one token"},
	{"an update loses what was written meanwhile",
		func(m *memstore.Store) tokenkeep.Store { return losesUpdate{m, firstUpdates} },
		"concurrency/updates at once lose none"},
	{"an update brings a deleted token back",
		func(m *memstore.Store) tokenkeep.Store { return resurrects{m} },
		"UpdateToken/an update of a missing token is not found and creates nothing"},
	{"a write empties the token first",
		func(m *memstore.Store) tokenkeep.Store { return truncates{m} },
		"concurrency/a reader sees whole versions"},
}

var (
	firstUpdates = newMeeting()
	firstRewrite = newMeeting()
)

type fallsThrough struct{ *memstore.Store }

func (s fallsThrough) FindToken(ctx context.Context, query token) (token, error) {
	found, err := s.Store.FindToken(ctx, query)
	if errors.Is(err, tokenkeep.ErrNotFound) {
		query.UserName = ""
		return s.Store.FindToken(ctx, query)
	}
	return found, err
}

type ignoresQueryID struct{ *memstore.Store }

func (s ignoresQueryID) FindToken(ctx context.Context, query token) (token, error) {
	if tokens, err := s.GetTokens(ctx); query.ID != "" && err == nil && len(tokens) > 0 {
		return tokens[0], nil
	}
	return s.Store.FindToken(ctx, query)
}

type returnsQuery struct{ *memstore.Store }

func (s returnsQuery) FindToken(ctx context.Context, query token) (token, error) {
	found, err := s.Store.FindToken(ctx, query)
	if errors.Is(err, tokenkeep.ErrNotFound) {
		return query, nil
	}
	return found, err
}

type ignoresCase struct{ *memstore.Store }

func (s ignoresCase) FindToken(ctx context.Context, query token) (token, error) {
	query.UserName = strings.ToLower(query.UserName)
	return s.Store.FindToken(ctx, query)
}

type forgetsPairs struct{ *memstore.Store }

func (s forgetsPairs) FindToken(ctx context.Context, query token) (token, error) {
	found, err := s.Store.FindToken(ctx, query)
	if stored, e := s.FindTokenByID(ctx, found.ID); e == nil && found.ExpiresAt.IsZero() {
		found.ExpiresAt = stored.ExpiresAt
	}
	return found, err
}

type savesUnpaired struct{ *memstore.Store }

func (s savesUnpaired) SaveToken(ctx context.Context, t token) (token, error) {
	if found, err := s.FindToken(ctx, token{ID: t.ID, UserName: t.UserName}); err == nil && t.ExpiresAt.IsZero() {
		t.ExpiresAt = found.ExpiresAt
	}
	return s.Store.SaveToken(ctx, t)
}

type changesArgument struct{ *memstore.Store }

func (s changesArgument) FindToken(ctx context.Context, query token) (token, error) {
	found, err := s.Store.FindToken(ctx, query)
	if err == nil && query.Extra != nil {
		maps.Copy(query.Extra, found.Extra)
	}
	return found, err
}

type sharesMemory struct {
	*memstore.Store
	last token
}

func (s *sharesMemory) SaveToken(ctx context.Context, t token) (token, error) {
	saved, err := s.Store.SaveToken(ctx, t)
	s.last = saved
	return saved, err
}

func (s *sharesMemory) FindTokenByID(ctx context.Context, id string) (token, error) {
	if s.last.ID == id {
		return s.last, nil
	}
	return s.Store.FindTokenByID(ctx, id)
}

type listsNil struct{ *memstore.Store }

func (s listsNil) GetTokens(ctx context.Context) ([]token, error) {
	tokens, err := s.Store.GetTokens(ctx)
	if len(tokens) == 0 {
		return nil, err
	}
	return tokens, err
}

type listsBackwards struct{ *memstore.Store }

func (s listsBackwards) GetTokens(ctx context.Context) ([]token, error) {
	tokens, err := s.Store.GetTokens(ctx)
	slices.Reverse(tokens)
	return tokens, err
}

type deletesStrictly struct{ *memstore.Store }

func (s deletesStrictly) DeleteToken(ctx context.Context, id string) error {
	if _, err := s.FindTokenByID(ctx, id); err != nil {
		return err
	}
	return s.Store.DeleteToken(ctx, id)
}

type bringsBack struct{ *memstore.Store }

func (s bringsBack) SaveToken(ctx context.Context, t token) (token, error) {
	saved, err := s.Store.SaveToken(ctx, t)
	if err != nil || t.RefreshToken == "" || saved.RefreshToken == t.RefreshToken {
		return saved, err
	}
	return s.UpdateToken(ctx, saved.ID, func(stored token) (token, error) {
		stored.RefreshToken = t.RefreshToken
		return stored, nil
	})
}

type ignoresSavedID struct{ *memstore.Store }

func (s ignoresSavedID) SaveToken(ctx context.Context, t token) (token, error) {
	t.ID = ""
	return s.Store.SaveToken(ctx, t)
}

type swallowsConflict struct{ *memstore.Store }

func (s swallowsConflict) SaveToken(ctx context.Context, t token) (token, error) {
	saved, err := s.Store.SaveToken(ctx, t)
	if errors.Is(err, tokenkeep.ErrConflict) {
		return t, nil
	}
	return saved, err
}

type repairsText struct{ *memstore.Store }

func (s repairsText) SaveToken(ctx context.Context, t token) (token, error) {
	t.RedirectURL = strings.ToValidUTF8(t.RedirectURL, "?")
	return s.Store.SaveToken(ctx, t)
}

type ignoresContext struct{ *memstore.Store }

func (s ignoresContext) DeleteToken(ctx context.Context, id string) error {
	return s.Store.DeleteToken(context.WithoutCancel(ctx), id)
}

type quotesToken struct{ *memstore.Store }

func (s quotesToken) SaveToken(ctx context.Context, t token) (token, error) {
	saved, err := s.Store.SaveToken(ctx, t)
	if err != nil {
		err = fmt.Errorf("save %q: %w", t.RefreshToken, err)
	}
	return saved, err
}

type printsLast struct {
	tokenkeep.Store
	last token
}

func (s *printsLast) FindToken(ctx context.Context, query token) (token, error) {
	found, err := s.Store.FindToken(ctx, query)
	s.last = found
	return found, err
}

// losesUpdate reads, changes and writes without a lock.
type losesUpdate struct {
	*memstore.Store
	race *meeting
}

// meeting holds its first visitor until the second comes.
type meeting struct {
	visits atomic.Int32
	both   chan struct{}
}

func newMeeting() *meeting { return &meeting{both: make(chan struct{})} }

func (m *meeting) visit() {
	if m.visits.Add(1) == 2 {
		close(m.both)
	}
	<-m.both
}

func (s losesUpdate) UpdateToken(ctx context.Context, id string, f func(token) (token, error)) (token, error) {
	read, err := s.FindTokenByID(ctx, id)
	if err != nil {
		return token{}, err
	}
	next, err := f(read)
	if err != nil {
		return token{}, err
	}
	s.race.visit() // so that two have read before either writes
	return s.SaveToken(ctx, next)
}

type resurrects struct{ *memstore.Store }

func (s resurrects) UpdateToken(ctx context.Context, id string, f func(token) (token, error)) (token, error) {
	updated, err := s.Store.UpdateToken(ctx, id, f)
	if errors.Is(err, tokenkeep.ErrNotFound) && id != "" {
		next, err := f(token{ID: id})
		if err != nil {
			return token{}, err
		}
		return s.SaveToken(ctx, next)
	}
	return updated, err
}

// truncates empties a token before it writes, as FileStore of Zoho's SDKs truncates its file. The first time it waits
// for a reader.
type truncates struct{ *memstore.Store }

func (s truncates) SaveToken(ctx context.Context, t token) (token, error) {
	_, err := s.UpdateToken(ctx, t.ID, func(stored token) (token, error) {
		stored.Scopes = nil
		return stored, nil
	})
	if err == nil {
		firstRewrite.visit()
	}
	return s.Store.SaveToken(ctx, t)
}

func (s truncates) FindTokenByID(ctx context.Context, id string) (token, error) {
	read, err := s.Store.FindTokenByID(ctx, id)
	noteRead(read)
	return read, err
}

func (s truncates) FindToken(ctx context.Context, query token) (token, error) {
	read, err := s.Store.FindToken(ctx, query)
	noteRead(read)
	return read, err
}

func (s truncates) GetTokens(ctx context.Context) ([]token, error) {
	read, err := s.Store.GetTokens(ctx)
	noteRead(read...)
	return read, err
}

// noteRead lets the writer go on once a reader has seen a token that is empty.
func noteRead(read ...token) {
	for _, t := range read {
		if t.ID != "" && len(t.Scopes) == 0 {
			firstRewrite.visit()
		}
	}
}
