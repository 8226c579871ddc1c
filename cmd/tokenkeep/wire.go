package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// wire is between the stores of the demo and the Secrets Manager. It counts requests by the name of their action, those
// that are repeated included.
type wire struct {
	next http.RoundTripper

	mu    sync.Mutex
	calls map[string]int
	puts  int  // PutSecretValue that took effect
	wrote bool // something may have been created
	cut   bool
	busy  sync.WaitGroup // one for each request under way
}

var errCut = errors.New("the demo is over")

// RoundTrip sends a request. A write that is under way when the demo is interrupted comes to its end, so that nothing is
// created after the demo has cleaned up.
func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	_, action, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	writes := action == "CreateSecret" || action == "PutSecretValue"
	w.mu.Lock()
	if w.cut {
		w.mu.Unlock()
		return nil, errCut
	}
	w.busy.Add(1)
	w.calls[action]++
	w.wrote = w.wrote || writes
	w.mu.Unlock()
	defer w.busy.Done()
	if writes {
		request = request.WithContext(context.WithoutCancel(request.Context()))
	}
	response, err := w.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // it is read
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	if action == "PutSecretValue" && response.StatusCode == http.StatusOK {
		w.mu.Lock()
		w.puts++
		w.mu.Unlock()
	}
	return response, nil
}

// take returns the number of calls since it was last called.
func (w *wire) take() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls
	w.calls, w.puts = map[string]int{}, 0
	return calls
}

// written returns how many PutSecretValue took effect since take was last called.
func (w *wire) written() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.puts
}

// end lets nothing through any more and waits for what is under way. It reports whether anything may have been created.
func (w *wire) end() bool {
	w.mu.Lock()
	w.cut = true
	w.mu.Unlock()
	w.busy.Wait()
	return w.wrote
}

// summary writes numbers of calls as "3 calls: CreateSecret 2, GetSecretValue 1".
func summary(calls map[string]int) string {
	all, parts := 0, []string{}
	for _, action := range slices.Sorted(maps.Keys(calls)) {
		all += calls[action]
		parts = append(parts, fmt.Sprintf("%s %d", action, calls[action]))
	}
	switch all {
	case 0:
		return "no call"
	case 1:
		return "1 call: " + strings.TrimSuffix(parts[0], " 1")
	}
	return fmt.Sprintf("%d calls: %s", all, strings.Join(parts, ", "))
}
