package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// provider is an OAuth 2 token endpoint on a port of this machine. It replaces a refresh token with each access token, takes no
// refresh token twice, and counts how often it is asked.
type provider struct {
	url    string
	server *http.Server
	ended  chan struct{}

	mu       sync.Mutex
	valid    string // the refresh token that it takes
	requests int
}

// thinking is how long the provider takes to answer, so that everybody else finds the token expired.
const thinking = 200 * time.Millisecond

// startProvider starts a provider that takes a refresh token.
func startProvider(refreshToken string) (*provider, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a token endpoint: %w", err)
	}
	p := &provider{url: "http://" + listener.Addr().String() + "/token", ended: make(chan struct{}), valid: refreshToken}
	p.server = &http.Server{Handler: http.HandlerFunc(p.answer), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(p.ended)
		_ = p.server.Serve(listener) // until it is closed
	}()
	return p, nil
}

func (p *provider) close() {
	_ = p.server.Close()
	<-p.ended
}

// asked returns how many requests there were.
func (p *provider) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

func (p *provider) answer(w http.ResponseWriter, r *http.Request) {
	n, err := p.spend(r.PostFormValue("refresh_token"))
	time.Sleep(thinking)
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"error": %q}`, err)
		return
	}
	_, _ = fmt.Fprintf(w, `{"access_token": %q, "refresh_token": %q, "expires_in": 3600}`, accessToken(n), refreshToken(n))
}

// spend uses a refresh token up, and returns the number of the request.
func (p *provider) spend(token string) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	if token != p.valid {
		return 0, errors.New("invalid_grant")
	}
	p.valid = refreshToken(p.requests)
	return p.requests, nil
}

// The tokens that a provider gives for its n-th request.
func accessToken(n int) string  { return fmt.Sprintf("access-%d-not-to-be-shown", n) }
func refreshToken(n int) string { return fmt.Sprintf("refresh-%d-not-to-be-shown", n) }
