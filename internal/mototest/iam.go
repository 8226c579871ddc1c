package mototest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// IAM is a moto server that answers only users, and lets them do what their policies say. Of a policy it reads the actions;
// each statement that is to count has the resource "*" (moto 5.2.1).
type IAM struct {
	// URL is where the server is.
	URL string
}

// StartIAM is [Start] for a second server, which checks policies. All tests of a test binary share it too.
func StartIAM(t testing.TB) IAM {
	t.Helper()
	return IAM{start(t, &guarded)}
}

// making is held while a user is made.
var making sync.Mutex

// User makes a user with a policy, in JSON, and returns an access key. While it does, the server checks nobody: let no
// other test run beside it.
func (m IAM) User(t testing.TB, policy string) (accessKeyID, secretAccessKey string) {
	t.Helper()
	making.Lock()
	defer making.Unlock()
	m.unchecked(t, "1000")
	defer m.unchecked(t, "0")
	name := "user-" + strings.ToLower(rand.Text())
	m.iam(t, "CreateUser", "UserName", name)
	m.iam(t, "PutUserPolicy", "UserName", name, "PolicyName", "its-own", "PolicyDocument", policy)
	key := m.iam(t, "CreateAccessKey", "UserName", name)
	return element(t, key, "AccessKeyId"), element(t, key, "SecretAccessKey")
}

// unchecked sets how many requests are let through before the server checks who sends them.
func (m IAM) unchecked(t testing.TB, requests string) {
	t.Helper()
	m.post(t, "/moto-api/reset-auth", requests)
}

// iam calls an action of IAM with pairs of a parameter's name and value, and returns the reply.
func (m IAM) iam(t testing.TB, action string, parameters ...string) string {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return m.post(t, "/", form.Encode())
}

func (m IAM) post(t testing.TB, path, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatalf("moto: %v", err)
	}
	if path == "/" { // moto-api takes no form
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	// moto takes the service from here.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=none")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatalf("moto: %v", err)
	}
	defer func() { _ = response.Body.Close() }()
	var reply bytes.Buffer
	if _, err := io.Copy(&reply, response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("moto: %s", fmt.Sprint(response.Status, " ", reply.String(), err))
	}
	return reply.String()
}

// element returns what is in an XML element.
func element(t testing.TB, reply, name string) string {
	t.Helper()
	_, rest, _ := strings.Cut(reply, "<"+name+">")
	value, _, ok := strings.Cut(rest, "</"+name+">")
	if !ok {
		t.Fatalf("moto: the reply has no %s:\n%s", name, reply)
	}
	return value
}
