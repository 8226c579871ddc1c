package localstack_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// fuzzState is what there is before each request of FuzzRequest: a secret with two versions, a scheduled one, an empty one.
var fuzzState = [][2]string{
	{"CreateSecret", `{"Name": "a", "ClientRequestToken": "` + v1 + `", "SecretString": "one", "Tags": [{"Key": "k", "Value": "v"}]}`},
	{"PutSecretValue", `{"SecretId": "a", "ClientRequestToken": "` + v2 + `", "SecretBinary": "AP8="}`},
	{"CreateSecret", `{"Name": "b", "ClientRequestToken": "` + v1 + `", "SecretString": "two"}`},
	{"DeleteSecret", `{"SecretId": "b"}`},
	{"CreateSecret", `{"Name": "c", "ClientRequestToken": "` + v1 + `"}`},
}

// fuzzErrors are the errors that a request alone can cause, with their status.
var fuzzErrors = map[string]int{
	"InvalidNextTokenException":      400,
	"InvalidParameterException":      400,
	"InvalidRequestException":        400,
	"LimitExceededException":         400,
	"RequestEntityTooLargeException": 413,
	"ResourceExistsException":        400,
	"ResourceNotFoundException":      400,
	"SerializationException":         400,
	"UnknownOperationException":      400,
	"ValidationException":            400,
}

// FuzzRequest sends any action with any body, twice: the server must not panic, and each answer must be one of AWS's.
func FuzzRequest(f *testing.F) {
	server, err := localstack.Start()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(server.Close)
	f.Fuzz(func(t *testing.T, action string, body []byte) {
		server.Empty()
		for _, r := range fuzzState {
			if got := serve(server, r[0], []byte(r[1])); got.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", r[0], got.Code, got.Body)
			}
		}
		for range 2 {
			checkReply(t, serve(server, action, body))
		}
	})
}

func serve(s *localstack.Server, action string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header["X-Amz-Target"] = []string{"secretsmanager." + action} // as it is, which Set would refuse to be
	w := httptest.NewRecorder()
	s.Serve(w, r)
	return w
}

// checkReply fails the test unless a reply is a JSON object, and an error has the code and status that AWS documents.
func checkReply(t *testing.T, got *httptest.ResponseRecorder) {
	t.Helper()
	var reply map[string]any
	if err := json.Unmarshal(got.Body.Bytes(), &reply); err != nil || reply == nil {
		t.Fatalf("the reply %q is no JSON object: %v", got.Body, err)
	}
	code := got.Header().Get("x-amzn-ErrorType")
	if want, known := fuzzErrors[code]; code == "" && got.Code != http.StatusOK || code != "" && (!known || got.Code != want) {
		t.Fatalf("status %d with the error %q: %s", got.Code, code, got.Body)
	}
	if code != "" {
		text := slices.IndexFunc([]string{"message", "Message"}, func(key string) bool { s, _ := reply[key].(string); return s != "" })
		if reply["__type"] != code || text < 0 {
			t.Fatalf("the error %q has the body %s; want its code and a text", code, got.Body)
		}
	}
	if got.Header().Get("Content-Type") != "application/x-amz-json-1.1" || got.Header().Get("x-amzn-RequestId") == "" {
		t.Fatalf("headers %v; want the content type and a request ID", got.Header())
	}
}
