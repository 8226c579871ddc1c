package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// refreshServer counts the refreshes that it is asked for. A refresh token whose name ends in -once is answered as its name says
// only once.
type refreshServer struct {
	mu    sync.Mutex
	asked []string // since the last check
	once  map[string]bool
}

type refreshesKey struct{}

func refreshesFor(env *testscript.Env) http.HandlerFunc {
	s := &refreshServer{once: map[string]bool{}}
	env.Values[refreshesKey{}] = s
	return s.answer
}

func (s *refreshServer) answer(w http.ResponseWriter, r *http.Request) {
	token := r.FormValue("refresh_token")
	s.mu.Lock()
	s.asked = append(s.asked, token)
	fails := !s.once[token]
	s.once[token] = strings.HasSuffix(token, "-once")
	s.mu.Unlock()
	switch {
	case fails && token == "canary-refused-once":
		_, _ = fmt.Fprint(w, `{"error":"invalid_code"}`)
	case fails && strings.HasPrefix(token, "canary-throttled"):
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error":"Access Denied","status":"failure"}`)
	case strings.HasPrefix(token, "canary-failing"):
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error":"invalid_client"}`)
	default:
		refresh(w, r)
	}
}

// refreshes checks which refresh tokens were spent since the last check, in any order.
func refreshes(ts *testscript.TestScript, _ bool, want []string) {
	s := ts.Value(refreshesKey{}).(*refreshServer)
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.asked)
	if !slices.Equal(s.asked, want) {
		ts.Fatalf("refreshed were %q; want %q", s.asked, want)
	}
	s.asked = nil
}
