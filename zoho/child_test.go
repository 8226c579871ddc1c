package zoho

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/localstack"
	"github.com/tokenkeep/tokenkeep/oauth"
)

// childVariable holds the part of a process that a test has started.
const childVariable = "TOKENKEEP_TEST_PART"

// part is what a process is to do: wait for a line on standard input, and get the token.
type part struct {
	Endpoint, Prefix string // of the store
	Lease, Deadline  time.Duration
	Rotates          bool
	Grace            time.Duration
	Stop             string // where it stops in Ask, to be killed there: a line of those below
}

// The lines that a process prints before its report.
const (
	lineReady    = "ready"
	lineRead     = "has read the store"
	lineAsking   = "is about to ask"
	lineAnswered = "has an answer"
)

// report is what came of it.
type report struct {
	Access      string
	Error       string
	Reauthorize bool        // the error is ErrReauthorize
	Told        int         // calls of OnReauthorize
	Refreshed   bool        // by this process
	Reads       []time.Time // of the store, when each began
	Commit      time.Time   // when the last put had succeeded
}

// runChild is the whole life of such a process.
func runChild(text string) int {
	var p part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	watch := &watched{}
	source, err := p.source(watch)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Println(lineReady)
	input := bufio.NewReader(os.Stdin)
	if _, err := input.ReadString('\n'); err != nil {
		return 1
	}
	go func() {
		_, _ = io.Copy(io.Discard, input)
		os.Exit(1) // nobody is left to report to
	}()
	tok, err := source.TokenContext(context.Background())
	watch.mu.Lock()
	defer watch.mu.Unlock()
	r := watch.report
	if err != nil {
		r.Error, r.Reauthorize = err.Error(), errors.Is(err, oauth.ErrReauthorize)
	}
	if tok != nil {
		r.Access = tok.AccessToken
	}
	_ = json.NewEncoder(os.Stdout).Encode(r)
	return 0
}

func (p part) source(watch *watched) (*oauth.Source, error) {
	cfg, err := localstack.ConfigFor(p.Endpoint)
	if err != nil {
		return nil, err
	}
	cfg.HTTPClient = &http.Client{Transport: watch}
	store, err := awssm.NewStore(secretsmanager.NewFromConfig(cfg), awssm.Options{Prefix: p.Prefix})
	if err != nil {
		return nil, err
	}
	o := oauth.Options{
		Lease: p.Lease, Deadline: p.Deadline,
		OnRefresh:     func(tokenkeep.Token) { watch.note(func(r *report) { r.Refreshed = true }) },
		OnReauthorize: func(tokenkeep.Token) { watch.note(func(r *report) { r.Told++ }) },
	}
	query := tokenkeep.Token{UserName: userEmail}
	if !p.Rotates && p.Stop == "" {
		return NewSource(store, query, Options{OAuth: o}), nil
	}
	o.Provider = &stopping{NewProvider(DataCenter{}, nil), p}
	return oauth.NewSource(store, query, o), nil
}

// stopping is a provider that rotates, perhaps, and never comes back where its process is to be killed.
type stopping struct {
	*Provider
	part part
}

func (s *stopping) Traits() oauth.Traits {
	traits := s.Provider.Traits()
	traits.Rotates, traits.Grace = s.part.Rotates, s.part.Grace
	return traits
}

func (s *stopping) Ask(ctx context.Context, stored tokenkeep.Token) (tokenkeep.Token, error) {
	s.stop(lineAsking)
	t, err := s.Provider.Ask(ctx, stored)
	if err == nil {
		s.stop(lineAnswered)
	}
	return t, err
}

func (s *stopping) stop(line string) {
	if s.part.Stop == line {
		fmt.Println(line)
		select {}
	}
}

// watched notes what the process asks of the store.
type watched struct {
	mu     sync.Mutex
	report report
	read   sync.Once
}

func (w *watched) note(change func(*report)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.report)
}

// RoundTrip is that of http.DefaultTransport.
func (w *watched) RoundTrip(req *http.Request) (*http.Response, error) {
	target := req.Header.Get("X-Amz-Target")
	isRead := strings.HasSuffix(target, "GetSecretValue")
	if isRead {
		w.note(func(r *report) { r.Reads = append(r.Reads, time.Now()) })
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if isRead {
		w.read.Do(func() { fmt.Println(lineRead) })
	} else if resp.StatusCode == http.StatusOK {
		w.note(func(r *report) { r.Commit = time.Now() })
	}
	return resp, nil
}
