package drivertest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// listPromises are of drivers that implement driver.Lister. The names of other folders must not show either: run the
// suite with folders of one account.
var listPromises = []promise{
	{"a list names every live secret once, and else at most deleted ones", listsLiveSecrets},
	{"a list of an empty folder is empty", listsNothing},
	{"a list can be left early and begun again", listLeftEarly},
	{"a list ends with its context", listEnds},
}

// list collects what List yields.
func list(ctx context.Context, l driver.Lister) ([]string, error) {
	var names []string
	for name, err := range l.List(ctx) {
		if err != nil {
			return names, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// wantList checks what List names, once it has caught up.
func wantList(t testing.TB, l driver.Lister, want ...string) {
	t.Helper()
	wantListBut(t, l, "", want...)
}

// wantListBut is wantList that does not mind whether a deleted secret is named.
func wantListBut(t testing.TB, l driver.Lister, deleted string, want ...string) {
	t.Helper()
	var got []string
	var err error
	listed := func() bool {
		got, err = list(t.Context(), l)
		got = slices.DeleteFunc(got, func(name string) bool { return name == deleted })
		return err == nil && slices.Equal(got, want)
	}
	done := listed()
	for deadline := time.Now().Add(l.Lag()); !done && time.Now().Before(deadline) && t.Context().Err() == nil; {
		done = eventually(t.Context(), listed)
	}
	if !done {
		t.Fatalf("List = %q, error %v; want %q within %v", got, err, want, l.Lag())
	}
}

func listsLiveSecrets(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	l, ok := s.(driver.Lister)
	if !ok {
		return // optional
	}
	put(t, s, "t_p1", "two", put(t, s, "t_p1", "one", ""))
	put(t, s, "t_p10", "one", "")
	put(t, s, "i_r", "one", "")
	wantList(t, l, "i_r", "t_p1", "t_p10")
	remove(t, s, "t_p1")
	wantListBut(t, l, "t_p1", "i_r", "t_p10")
	put(t, handle(), "t_p1", "another life", "")
	wantList(t, l, "i_r", "t_p1", "t_p10")
}

func listsNothing(t testing.TB, handle func() driver.Secrets) {
	if l, ok := handle().(driver.Lister); ok {
		wantList(t, l)
	}
}

func listLeftEarly(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	l, ok := s.(driver.Lister)
	if !ok {
		return
	}
	for _, name := range []string{"a", "b", "c"} {
		put(t, s, name, "one", "")
	}
	wantList(t, l, "a", "b", "c")
	names := l.List(t.Context())
	for _, err := range names {
		if err != nil {
			t.Fatalf("List = %v; want a name", err)
		}
		break
	}
	var again []string
	for name, err := range names {
		if err != nil {
			t.Fatalf("List begun again = %v; want a name", err)
		}
		again = append(again, name)
	}
	if slices.Sort(again); !slices.Equal(again, []string{"a", "b", "c"}) {
		t.Errorf("List begun again = %q; want all three names", again)
	}
}

func listEnds(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	l, ok := s.(driver.Lister)
	if !ok {
		return
	}
	put(t, s, "a", "one", "")
	put(t, s, "b", "one", "")
	wantList(t, l, "a", "b")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	yields := 0
	for name, err := range l.List(ctx) {
		yields++
		switch {
		case yields == 1 && err != nil:
			t.Fatalf("List = %v; want a name", err)
		case yields == 2 && (name != "" || !errors.Is(err, context.Canceled)):
			t.Fatalf("List goes on with %q, error %v, after its context ended; want context.Canceled", name, err)
		case yields > 2:
			t.Fatalf("List goes on after an error")
		}
		cancel()
	}
	if yields != 2 {
		t.Errorf("List ended after %d names without an error; want context.Canceled", yields)
	}
	if names, err := list(ctx, l); len(names) != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("List in a context that has ended = %q, error %v; want context.Canceled", names, err)
	}
}
