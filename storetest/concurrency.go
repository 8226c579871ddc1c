package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

var concurrencyCases = []scenario{
	{"many users saved at once are all there, once each", savesManyUsers},
	{"first saves of one user at once make one token", savesOneUserAtOnce},
	{"first saves of one refresh token at once make one token", savesOneRefreshTokenAtOnce},
	{"saves of different fields at once lose none", savesFieldsAtOnce},
	{"a reader sees whole versions", readsWholeVersions},
	{"updates at once lose none", updatesAtOnce},
	{"an update never brings a deleted token back", updatesDuringDelete},
	{"a save that is cancelled midway leaves an old or a new version", cancelsMidway},
}

// handles is how many handles the goroutines of a test share.
const handles = 4

// atOnce runs f n times at once, on several handles, and fails the test if one of them fails.
func (s *subject) atOnce(n int, f func(i int, handle *subject) error) {
	s.Helper()
	open := []*subject{s}
	for len(open) < handles {
		open = append(open, s.on(s.open()))
	}
	errs := make([]error, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			errs[i] = f(i, open[i%handles])
		})
	}
	close(start)
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		s.Fatal(err)
	}
}

// persistently calls f again, a few times, while other writers win.
func persistently(f func() error) error {
	err := f()
	for tries := 1; tries < 10 && errors.Is(err, tokenkeep.ErrConflict); tries++ {
		err = f()
	}
	return err
}

func savesManyUsers(s *subject) {
	const n = 32
	saved := make([]token, n)
	s.atOnce(n, func(i int, handle *subject) error {
		var err error
		saved[i], err = handle.SaveToken(s.Context(), token{
			UserName: fmt.Sprint("user", i), RefreshToken: fmt.Sprint("r", i), AccessToken: fmt.Sprint("A", i),
		})
		return err
	})
	for i, t := range saved {
		if t.UserName != fmt.Sprint("user", i) || t.RefreshToken != fmt.Sprint("r", i) {
			s.Errorf("the save of user %d returned %v", i, t)
		}
	}
	s.on(s.open()).holds(saved...)
}

func savesOneUserAtOnce(s *subject) {
	s.savesOne(func(i int) token {
		return token{UserName: "a", ClientID: "c", RefreshToken: "r", AccessToken: fmt.Sprint("A", i)}
	})
}

func savesOneRefreshTokenAtOnce(s *subject) {
	s.savesOne(func(i int) token { return token{ClientID: "c", RefreshToken: "r", AccessToken: fmt.Sprint("A", i)} })
}

// savesOne saves one identity many times at once.
func (s *subject) savesOne(nth func(i int) token) {
	s.Helper()
	const n = 32
	ids := make([]string, n)
	s.atOnce(n, func(i int, handle *subject) error {
		return persistently(func() error {
			saved, err := handle.SaveToken(s.Context(), nth(i))
			if err == nil && saved.AccessToken != nth(i).AccessToken {
				err = fmt.Errorf("save %d returned the access token %q", i, saved.AccessToken)
			}
			ids[i] = saved.ID
			return err
		})
	})
	tokens := s.on(s.open()).list()
	if len(tokens) != 1 {
		s.Fatalf("%d saves of one identity made %d tokens: %v", n, len(tokens), tokens)
	}
	for i, id := range ids {
		if id != tokens[0].ID {
			s.Errorf("save %d returned the ID %q, the token has %q", i, id, tokens[0].ID)
		}
	}
}

func savesFieldsAtOnce(s *subject) {
	s.needs("extra")
	const n = 16
	id := s.save(token{UserName: "a", ClientID: "c", RefreshToken: "r"}).ID
	s.atOnce(n, func(i int, handle *subject) error {
		return persistently(func() error {
			_, err := handle.SaveToken(s.Context(), token{UserName: "a", Extra: map[string]string{strconv.Itoa(i): "x"}})
			return err
		})
	})
	for _, handle := range []tokenkeep.Store{s.Store, s.open()} {
		if got := s.on(handle).get(id); len(got.Extra) != n {
			s.Errorf("of %d saves of one field each, %d fields are stored: %v", n, len(got.Extra), got.Extra)
		}
	}
}

// version returns the n-th version of a token, which has its number everywhere.
func version(n int) token {
	number := strconv.Itoa(n)
	return token{
		ID: "7", UserName: "a", RefreshToken: "r", AccessToken: number, ExpiresAt: later.Add(time.Duration(n) * time.Second),
		RedirectURL: number, Scopes: []string{number, number}, Extra: map[string]string{"a": number, "b": number},
	}
}

// whole returns an error if t is no version.
func (s *subject) whole(t token) error {
	n, err := strconv.Atoi(t.AccessToken)
	if err != nil {
		return fmt.Errorf("the token %v is no version", t)
	}
	if diff := diff(s.fit(t), s.fit(version(n))); diff != "" {
		return fmt.Errorf("version %d is mixed with another in\n%s", n, diff)
	}
	return nil
}

// FileStore of Zoho's SDKs truncates its file before it writes, so that a reader may find nothing.
func readsWholeVersions(s *subject) {
	const reads, writes = 12, 4 // at least; readers and writer go on until the others have done theirs
	const mostWrites = 50       // of a secret in AWS, about 100 versions a day are possible
	s.save(version(0))
	var readers sync.WaitGroup
	readers.Add(handles - 1)
	done := make(chan struct{})
	go func() {
		readers.Wait()
		close(done)
	}()
	var written atomic.Int64 // versions
	last := 0
	s.atOnce(handles, func(i int, handle *subject) error {
		if i == 0 {
			defer written.Store(writes) // so that the readers end also after an error
			for {
				last++
				if _, err := handle.SaveToken(s.Context(), s.fit(version(last))); err != nil {
					return err
				}
				written.Store(int64(last))
				if last == mostWrites {
					<-done
				}
				select {
				case <-done:
					return nil
				default:
				}
			}
		}
		defer readers.Done()
		for n := 0; n < reads || written.Load() < writes; n++ {
			if err := handle.reads((n + i) % 3); err != nil {
				return err
			}
		}
		return nil
	})
	s.holds(version(last))
}

// reads reads the version in one of three ways.
func (s *subject) reads(how int) error {
	var read []token
	var one token
	var err error
	switch how {
	case 0:
		one, err = s.FindTokenByID(s.Context(), "7")
		read = []token{one}
	case 1:
		one, err = s.FindToken(s.Context(), token{UserName: "a"})
		read = []token{one}
	default:
		read, err = s.GetTokens(s.Context())
	}
	if err == nil && len(read) != 1 {
		err = fmt.Errorf("a reader sees %d tokens, want 1", len(read))
	}
	if err != nil {
		return err
	}
	return s.whole(read[0])
}

func updatesAtOnce(s *subject) {
	s.updater()
	const each = 6
	s.save(token{ID: "7", UserName: "a", RefreshToken: "r", RedirectURL: "0"})
	s.atOnce(handles, func(_ int, handle *subject) error {
		for range each {
			err := persistently(func() error {
				_, err := handle.updater().UpdateToken(s.Context(), "7", func(t token) (token, error) {
					n, err := strconv.Atoi(t.RedirectURL)
					t.RedirectURL = strconv.Itoa(n + 1)
					return t, err
				})
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if got := s.get("7").RedirectURL; got != strconv.Itoa(handles*each) {
		s.Errorf("%d updates by one counted to %s", handles*each, got)
	}
}

func updatesDuringDelete(s *subject) {
	s.updater()
	for range 4 {
		id := s.save(token{UserName: "a", ClientID: "c", RefreshToken: "r"}).ID
		s.atOnce(handles, func(i int, handle *subject) error {
			if i == 0 {
				return handle.DeleteToken(s.Context(), id)
			}
			err := persistently(func() error {
				_, err := handle.updater().UpdateToken(s.Context(), id, func(t token) (token, error) {
					t.AccessToken += "A"
					return t, nil
				})
				return err
			})
			if errors.Is(err, tokenkeep.ErrNotFound) {
				return nil
			}
			return err
		})
		s.getFails(id, tokenkeep.ErrNotFound)
	}
	s.on(s.open()).holds()
}

func cancelsMidway(s *subject) {
	s.save(version(0))
	for n := range 8 {
		ctx, cancel := context.WithCancel(s.Context())
		go cancel()
		_, err := s.SaveToken(ctx, s.fit(version(n+1)))
		if err != nil && !errors.Is(err, context.Canceled) {
			s.Errorf("a save that was cancelled: error %v, want one that is %q", err, context.Canceled)
		}
		got := s.on(s.open()).get("7")
		if e := s.whole(got); e != nil {
			s.Error(e)
		}
		if err == nil {
			s.same("the token after a save that was not stopped in time", got, version(n+1))
		}
		cancel()
	}
	s.save(version(99))
	s.holds(version(99))
}
