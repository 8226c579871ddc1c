package localstack_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// reply is an answer of the server as it is on the wire.
type reply struct {
	status int
	header http.Header
	body   string
}

func post(t *testing.T, s *localstack.Server, target, body string) reply {
	t.Helper()
	return send(t, s, http.MethodPost, target, body)
}

func send(t *testing.T, s *localstack.Server, method, target, body string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(data)}
}

func TestRequestsThatAreNoneGetTheErrorsOfAWS(t *testing.T) {
	server := startServer(t)
	tests := []struct {
		name, method, target, body string
		status                     int
		want                       string
	}{
		{"an unknown action", "POST", "secretsmanager.MakeCoffee", "{}", 400, "UnknownOperationException"},
		{"an action of AWS that the server does not have", "POST", "secretsmanager.RotateSecret", "{}", 400, "UnknownOperationException"},
		{"another service", "POST", "dynamodb.GetSecretValue", "{}", 400, "UnknownOperationException"},
		{"no target", "POST", "", "{}", 400, "UnknownOperationException"},
		{"a GET", "GET", "secretsmanager.ListSecrets", "", 400, "UnknownOperationException"},
		{"malformed JSON", "POST", "secretsmanager.ListSecrets", `{"MaxResults": `, 400, "SerializationException"},
		{"no body", "POST", "secretsmanager.ListSecrets", "", 400, "SerializationException"},
		{"something after the object", "POST", "secretsmanager.ListSecrets", "{} {}", 400, "SerializationException"},
		{"a list in place of an object", "POST", "secretsmanager.ListSecrets", "[]", 400, "SerializationException"},
		{"null in place of an object", "POST", "secretsmanager.ListSecrets", "null", 400, "SerializationException"},
		{"text that is not UTF-8", "POST", "secretsmanager.GetSecretValue", "{\"SecretId\": \"\xff\"}", 400, "SerializationException"},
		{"a number in place of text", "POST", "secretsmanager.GetSecretValue", `{"SecretId": 5}`, 400, "SerializationException"},
		{"text in place of a number", "POST", "secretsmanager.ListSecrets", `{"MaxResults": "5"}`, 400, "SerializationException"},
		{"text in place of a list of objects", "POST", "secretsmanager.ListSecrets", `{"Filters": "x"}`, 400, "SerializationException"},
		{"text in place of an object in a list", "POST", "secretsmanager.ListSecrets", `{"Filters": ["x"]}`, 400, "SerializationException"},
		{"binary that is not base64", "POST", "secretsmanager.CreateSecret", `{"SecretBinary": "%"}`, 400, "SerializationException"},
		{"a required member left out", "POST", "secretsmanager.GetSecretValue", `{}`, 400, "ValidationException"},
		{"a member in the wrong case, which is an unknown one", "POST", "secretsmanager.GetSecretValue", `{"secretId": "a"}`, 400, "ValidationException"},
		{"a member of a filter in the wrong case", "POST", "secretsmanager.ListSecrets", `{"Filters": [{"key": "name", "values": ["a"]}]}`, 400, "ValidationException"},
		{"unknown members", "POST", "secretsmanager.ListSecrets", `{"Colour": {"deep": [1]}, "MaxResults": null}`, 200, ""},
		{"a body over 1 MiB", "POST", "secretsmanager.ListSecrets", `{"Colour": "` + strings.Repeat("x", 1<<20) + `"}`, 413, "RequestEntityTooLargeException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := send(t, server, tt.method, tt.target, tt.body)
			var failure map[string]any // a map, since a struct takes members in any case
			if err := json.Unmarshal([]byte(got.body), &failure); err != nil {
				t.Fatalf("reply %q: %v", got.body, err)
			}
			if tt.want != "" && (failure["__type"] != tt.want || failure["message"] == nil) {
				t.Errorf("body %s; want __type %q and a message", got.body, tt.want)
			}
			if got.status != tt.status || got.header.Get("x-amzn-ErrorType") != tt.want {
				t.Errorf("status %d, x-amzn-ErrorType %q, body %s; want %d and %q", got.status, got.header.Get("x-amzn-ErrorType"), got.body, tt.status, tt.want)
			}
			if ct := got.header.Get("Content-Type"); ct != "application/x-amz-json-1.1" {
				t.Errorf("content type %q", ct)
			}
			if id := got.header.Get("x-amzn-RequestId"); !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(id) {
				t.Errorf("x-amzn-RequestId %q; want a UUID", id)
			}
		})
	}
}

func TestErrorsCarryTheirMessageInTheBody(t *testing.T) {
	server := startServer(t)
	got := post(t, server, "secretsmanager.GetSecretValue", `{"SecretId": "absent"}`)
	want := `{"Message":"Secrets Manager can't find the specified secret.","__type":"ResourceNotFoundException"}`
	if got.body != want {
		t.Errorf("body %s; want %s", got.body, want)
	}
}

func TestAClientWithoutAnSDKMustSendAToken(t *testing.T) {
	server := startServer(t)
	for _, action := range []string{"CreateSecret", "PutSecretValue"} {
		got := post(t, server, "secretsmanager."+action, `{"Name": "a", "SecretId": "a", "SecretString": "x"}`)
		if got.header.Get("x-amzn-ErrorType") != "InvalidRequestException" || !strings.Contains(got.body, "ClientRequestToken") {
			t.Errorf("%s without a token: %s; want InvalidRequestException that names ClientRequestToken", action, got.body)
		}
	}
}

func TestABodyThatEndsEarlyIsRefused(t *testing.T) {
	server := startServer(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	request := "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: secretsmanager.ListSecrets\r\nContent-Length: 9\r\n\r\n{}"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(got), "SerializationException") {
		t.Errorf("answer %q, %v; want SerializationException", got, err)
	}
}

func TestTimesAreSecondsSince1970(t *testing.T) {
	server := startServer(t)
	post(t, server, "secretsmanager.CreateSecret", `{"Name": "a", "SecretString": "x", "ClientRequestToken": "`+v1+`"}`)
	got := post(t, server, "secretsmanager.GetSecretValue", `{"SecretId": "a"}`)
	if !regexp.MustCompile(`"CreatedDate":\d{10}\.\d{3},`).MatchString(got.body) {
		t.Errorf("body %s; want CreatedDate as a number of seconds", got.body)
	}
}

func TestNoErrorRepeatsASecretValue(t *testing.T) {
	const canary = "canary-9f2c"
	server := startServer(t)
	valid := `"ClientRequestToken": "` + v1 + `", "SecretString": "` + canary + `"`
	post(t, server, "secretsmanager.CreateSecret", `{"Name": "a", `+valid+`}`)
	bodies := map[string]string{
		"another value under a used token": `{"Name": "a", "SecretId": "a", "ClientRequestToken": "` + v1 + `", "SecretString": "` + canary + `2"}`,
		"a short token":                    `{"Name": "b", "SecretId": "a", "ClientRequestToken": "x", "SecretString": "` + canary + `"}`,
		"a bad name":                       `{"Name": "b b", "SecretId": "b b", ` + valid + `}`,
		"two values":                       `{"Name": "b", "SecretId": "a", "SecretBinary": "eHg=", ` + valid + `}`,
		"too long":                         `{"Name": "b", "SecretId": "a", "ClientRequestToken": "` + v2 + `", "SecretString": "` + strings.Repeat(canary, 7000) + `"}`,
		"a value that is an object":        `{"Name": "b", "SecretId": "a", "ClientRequestToken": "` + v2 + `", "SecretString": {"` + canary + `": 1}}`,
		"binary that is not base64":        `{"Name": "b", "SecretId": "a", "ClientRequestToken": "` + v2 + `", "SecretBinary": "%` + canary + `"}`,
		"JSON that ends early":             `{"Name": "b", "SecretString": "` + canary,
		"a value as the body":              `"` + canary + `"`,
	}
	for name, body := range bodies {
		for _, action := range []string{"CreateSecret", "PutSecretValue"} {
			got := post(t, server, "secretsmanager."+action, body)
			if got.status == http.StatusOK || strings.Contains(got.body, canary) {
				t.Errorf("%s with %s: status %d, %s; want an error without the value", action, name, got.status, got.body)
			}
		}
	}
}
