package mototest

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
)

// newGate returns a server that lets one request at a time through to moto.
//
// moto answers each request in a thread of its own, and looks before it writes without a lock: of 16 creators of one
// secret two succeeded, on a busy machine (moto 5.2.1). Secrets Manager is not like that.
func newGate(moto string) (*httptest.Server, error) {
	target, err := url.Parse(moto)
	if err != nil {
		return nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // callers who leave are no news
	var one sync.Mutex
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one.Lock()
		defer one.Unlock()
		// A request that has begun is let end, whoever leaves, so that no other begins beside it.
		proxy.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	})), nil
}
