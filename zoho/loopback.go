package zoho

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// loopback is a server on this machine to which one browser comes back once.
type loopback struct {
	url, path, state string

	server *http.Server
	done   chan struct{}   // closed when the server has stopped
	came   chan url.Values // what the browser came back with
}

// listen starts the server of a redirect URL.
func listen(ctx context.Context, redirect, state string) (*loopback, error) {
	if redirect == "" {
		redirect = "http://127.0.0.1/callback"
	}
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme != "http" || !isLoopback(u.Hostname()) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("RedirectURL must be http://127.0.0.1:PORT/PATH or http://localhost:PORT/PATH: %w", tokenkeep.ErrInvalid)
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "0"
	}
	address := host
	if host == "localhost" {
		address = "127.0.0.1"
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(address, port))
	if err != nil {
		return nil, fmt.Errorf("no server for the redirect: %w", err)
	}
	if port == "0" {
		_, port, _ = net.SplitHostPort(listener.Addr().String())
		u.Host = net.JoinHostPort(host, port)
	}
	l := &loopback{url: u.String(), path: u.Path, state: state, done: make(chan struct{}), came: make(chan url.Values, 1)}
	if l.path == "" {
		l.path = "/"
	}
	l.server = &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		defer close(l.done)
		_ = l.server.Serve(listener)
	}()
	return l, nil
}

// ServeHTTP takes what the browser brings if the state is right, once.
func (l *loopback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	status, page := http.StatusOK, "You may close this page. The program that opened it goes on.\n"
	switch {
	case r.Method != http.MethodGet || r.URL.Path != l.path:
		status, page = http.StatusNotFound, "There is nothing here.\n"
	case subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(l.state)) != 1:
		status, page = http.StatusBadRequest, "This is not the login that waits here. Start again from the page that the program opened.\n"
	default:
		select {
		case l.came <- query:
		default: // the browser has been here before
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(page))
}

// wait opens the browser and returns what it comes back with.
func (l *loopback) wait(ctx context.Context, open func(url string) error, consent string) (url.Values, error) {
	opened := make(chan error, 1)
	go func() { opened <- open(consent) }()
	for {
		select {
		case query := <-l.came:
			return query, nil
		case err := <-opened:
			if err != nil && len(l.came) == 0 {
				return nil, fmt.Errorf("open the browser: %w", err)
			}
			opened = nil // the browser may have been there all the same
		case <-l.done:
			return nil, errors.New("the server for the redirect has stopped")
		case <-ctx.Done():
			return nil, fmt.Errorf("nobody came back from the browser: %w", ctx.Err())
		}
	}
}

// close lets an answer that is under way out, and stops the server.
func (l *loopback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		_ = l.server.Close()
	}
	<-l.done
}
