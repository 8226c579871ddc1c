package faults

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// Process is a program that uses an account through connections of its own.
type Process struct {
	account *Account
	wire    *wire
}

// Process returns a new one.
func (a *Account) Process() *Process { return &Process{a, &wire{account: a}} }

// Client returns a client with the retries of the SDK, as they are by default.
func (p *Process) Client() *secretsmanager.Client {
	cfg := p.account.Config()
	cfg.HTTPClient = p.wire
	return secretsmanager.NewFromConfig(cfg)
}

// wire carries requests. Unlike net/http it leaves no goroutine at a connection that is idle, which would stop the time of the bubble.
type wire struct {
	account *Account

	mu    sync.Mutex
	idle  []*line
	last  int // requests until the process dies; 0: it lives on
	after bool
	died  bool
	fault *localstack.Injected // whose caller leaves; nil: nobody leaves
	leave func()
}

// line is a connection.
type line struct {
	net.Conn
	in *bufio.Reader
}

var errDead = errors.New("the process is dead")

// die makes the process end with the n-th request from now on.
func (w *wire) die(n int, after bool, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last, w.after, w.leave = n, after, leave
}

// watch makes the caller leave as soon as a request meets the fault.
func (w *wire) watch(fault *localstack.Injected, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault, w.leave = fault, leave
}

// Dead reports whether a fault has ended the process.
func (p *Process) Dead() bool {
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	return p.wire.died
}

// dies counts a request, and reports whether the process is dead then, and whether this is the request that it died with.
func (w *wire) dies() (dead, now bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.died || w.last == 0 {
		return w.died, false
	}
	w.last--
	w.died = w.last == 0
	return w.died, w.died
}

// Do sends a request, and returns when there is a reply or the request's context ends.
func (w *wire) Do(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dead, now := w.dies()
	if now {
		if w.after {
			_, _ = w.send(request)
		}
		w.leave()
	}
	if dead {
		return nil, errDead
	}
	type answer struct {
		*http.Response
		error
	}
	answered := make(chan answer, 1)
	go func() {
		leave := w.leaveWhenMet()
		response, err := w.send(request)
		leave()
		answered <- answer{response, err}
	}()
	select {
	case a := <-answered:
		return a.Response, a.error
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// leaveWhenMet makes the caller leave as soon as the fault is met by a request, the one that is about to be sent or another one. The
// function that it returns is called when there is a reply, and leaves at the latest. Until then the time of the bubble stands still.
func (w *wire) leaveWhenMet() func() {
	w.mu.Lock()
	fault, leave := w.fault, w.leave
	w.mu.Unlock()
	if fault == nil {
		return func() {}
	}
	replied, stop := context.WithCancel(context.Background())
	go func() {
		if fault.Wait(replied) == nil {
			leave()
		}
	}()
	return func() {
		if fault.Met() {
			leave()
		}
		stop()
	}
}

// send sends a request and reads the reply.
func (w *wire) send(request *http.Request) (*http.Response, error) {
	l, err := w.connect()
	if err != nil {
		return nil, err
	}
	w.account.tick()
	response, err := l.exchange(request)
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, l)
	return response, nil
}

func (w *wire) connect() (*line, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.idle); n > 0 {
		l := w.idle[n-1]
		w.idle = w.idle[:n-1]
		return l, nil
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.account.URL, "http://"))
	if err != nil {
		return nil, err
	}
	return &line{conn, bufio.NewReader(conn)}, nil
}

func (l *line) exchange(request *http.Request) (*http.Response, error) {
	if err := request.Write(l); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(l.in, request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}
