package zoho

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestTheRedirectIsAnsweredPlainly(t *testing.T) {
	l := &loopback{path: "/callback", state: "right", came: make(chan url.Values, 1)}
	tests := []struct {
		name, method, target string
		want                 int
	}{
		{"another path", http.MethodGet, "/canary?state=right", http.StatusNotFound},
		{"another method", http.MethodPost, "/callback?state=right", http.StatusNotFound},
		{"no state", http.MethodGet, "/callback?code=canary", http.StatusBadRequest},
		{"a wrong state", http.MethodGet, "/callback?code=canary&state=righ", http.StatusBadRequest},
		{"the right one", http.MethodGet, "/callback?code=first&state=right&x=canary", http.StatusOK},
		{"the right one once more", http.MethodGet, "/callback?code=canary&state=right", http.StatusOK},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		l.ServeHTTP(w, httptest.NewRequest(tt.method, tt.target, nil))
		if w.Code != tt.want || strings.Contains(w.Body.String(), "canary") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") ||
			w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d %q %v; want a plain %d", tt.name, w.Code, w.Body, w.Header(), tt.want)
		}
	}
	if got := <-l.came; got.Get("code") != "first" || len(l.came) != 0 {
		t.Errorf("what came is %v; want the first one only", got)
	}
}

func TestTheDataCenterOfARedirect(t *testing.T) {
	own := DataCenter{"SG", "https://accounts.zoho.sg/", "https://www.zohoapis.sg"}
	tests := []struct {
		name             string
		begun            DataCenter
		server, location string
		want             string // API domain; empty: ErrAccountsServer
	}{
		{"none is where the login began", EU, "", "", EU.APIDomain},
		{"the one where it began", US, US.AccountsURL, "us", US.APIDomain},
		{"its sandbox stays", US.Sandbox(), US.AccountsURL, "us", US.Sandbox().APIDomain},
		{"another one that is known", US, EU.AccountsURL, "eu", EU.APIDomain},
		{"with a slash", US, EU.AccountsURL + "/", "eu", EU.APIDomain},
		{"by its location alone", US, "", "ca", CA.APIDomain},
		{"by its server alone", US, CA.AccountsURL, "", CA.APIDomain},
		{"a location that is not known beside a server that is", US, AE.AccountsURL, "xy", AE.APIDomain},
		{"an unknown one where the login began", own, "https://accounts.zoho.sg", "sg", own.APIDomain},
		{"an unknown one where it did not", US, "https://accounts.zoho.sg", "sg", ""},
		{"a location that belongs elsewhere", US, EU.AccountsURL, "us", ""},
		{"an unknown location alone", US, "", "sg", ""},
		{"a user in front of the host", US, "https://accounts.zoho.eu@evil.example", "eu", ""},
	}
	for _, tt := range tests {
		got, err := LoginOptions{DataCenter: tt.begun}.home(tt.server, tt.location)
		if got.APIDomain != tt.want || (tt.want == "") != errors.Is(err, ErrAccountsServer) {
			t.Errorf("%s: %+v, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}
