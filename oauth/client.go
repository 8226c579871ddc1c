package oauth

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// Client returns an HTTP client whose requests carry the access token, in the scheme that the provider wants. Requests to other hosts
// than those of Options.Hosts go out as they are. Where Hosts is empty every request carries it, but for a redirect to another
// host, or from https to http.
//
// A request takes its token under its own context. After an answer 401 the token is invalidated (see [Source.Invalidate]) and,
// if that brings another one, the request is repeated, once. That needs a body that can be repeated: none, or one with
// GetBody, as http.NewRequest sets it for bytes and strings.
//
// Transport, timeout, cookies and redirect policy are those of the client in ctx, under oauth2.HTTPClient, as in x/oauth2; else those of
// Options.HTTPClient. ctx is used for nothing else.
//
// The client may be used by many goroutines; make one and keep it.
func (s *Source) Client(ctx context.Context) *http.Client {
	client := http.Client{}
	if given, ok := ctx.Value(oauth2.HTTPClient).(*http.Client); ok && given != nil {
		client = *given
	} else if s.settings.HTTPClient != nil {
		client = *s.settings.HTTPClient
	}
	base := client.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	t := &transport{source: s, base: base, hosts: map[string]bool{}}
	for _, host := range s.settings.Hosts {
		if u, err := url.Parse(host); err == nil && u.Host != "" {
			short, _ := hostForms(u)
			host = u.Scheme + "://" + short
		}
		t.hosts[strings.ToLower(host)] = true
	}
	client.Transport = t
	return &client
}

// transport adds the access token to requests.
type transport struct {
	source *Source
	base   http.RoundTripper
	hosts  map[string]bool
}

// RoundTrip sends a request with the access token, if it may have it.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.may(req) {
		return t.send(req, req)
	}
	tok, err := t.source.TokenContext(req.Context())
	if tok == nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	resp, err := t.send(with(tok, req), req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	t.source.Invalidate(tok.AccessToken)
	again, ok := copyOf(req)
	if !ok {
		return resp, nil
	}
	next, _ := t.source.TokenContext(req.Context())
	if next == nil || next.AccessToken == tok.AccessToken { // the caller has an answer, if not the one hoped for
		if again.Body != nil {
			_ = again.Body.Close()
		}
		return resp, nil
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	_ = resp.Body.Close()
	return t.send(with(next, again), req)
}

// send sends a request in the place of another, which the answer names: it has no token, and a redirect can be traced by it.
func (t *transport) send(req, caller *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if resp != nil {
		resp.Request = caller
	}
	return resp, err
}

// copyOf returns a copy of a request that was sent, if its body can be had again.
func copyOf(req *http.Request) (*http.Request, bool) {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	again.Body = body
	return again, err == nil
}

// with returns a copy of a request that carries the token.
func with(tok *oauth2.Token, req *http.Request) *http.Request {
	req = req.Clone(req.Context())
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Authorization", tok.TokenType+" "+tok.AccessToken)
	return req
}

// may reports whether a request is one that carries the token.
func (t *transport) may(req *http.Request) bool {
	first := req
	for first.Response != nil { // of the redirects that led here
		if first = first.Response.Request; first == nil {
			return false
		}
	}
	if first.URL.Scheme == "https" && req.URL.Scheme != "https" {
		return false
	}
	short, long := hostForms(req.URL)
	if len(t.hosts) > 0 {
		return t.hosts[short] || t.hosts[long] || t.hosts[req.URL.Scheme+"://"+short]
	}
	origin, _ := hostForms(first.URL)
	return short == origin
}

// hostForms returns the host of a URL without the port that its scheme means anyway, and with it.
func hostForms(u *url.URL) (short, long string) {
	host := strings.ToLower(u.Host)
	port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	short = strings.TrimSuffix(host, port)
	if u.Port() == "" {
		host += port
	}
	return short, host
}
