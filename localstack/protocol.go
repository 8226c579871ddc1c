package localstack

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody is far over the largest request that can succeed: a value of 65,536 bytes of which JSON escapes each with six.
const maxBody = 1 << 20

const contentType = "application/x-amz-json-1.1"

// An action reads the body of a request and changes or reads the account.
type action func(a *account, body []byte) (any, error)

var actions = map[string]action{
	"BatchGetSecretValue":      on((*account).batchGetSecretValue),
	"CreateSecret":             on((*account).createSecret),
	"DeleteSecret":             on((*account).deleteSecret),
	"DescribeSecret":           on((*account).describeSecret),
	"GetSecretValue":           on((*account).getSecretValue),
	"ListSecretVersionIds":     on((*account).listSecretVersionIDs),
	"ListSecrets":              on((*account).listSecrets),
	"PutSecretValue":           on((*account).putSecretValue),
	"RestoreSecret":            on((*account).restoreSecret),
	"TagResource":              on((*account).tagResource),
	"UntagResource":            on((*account).untagResource),
	"UpdateSecretVersionStage": on((*account).updateSecretVersionStage),
}

func on[In, Out any](run func(*account, In) (Out, error)) action {
	return func(a *account, body []byte) (any, error) {
		var in In
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		return run(a, in)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	reply, err := s.answer(w, r)
	if err != nil {
		var failure *apiError
		if !errors.As(err, &failure) {
			failure = &apiError{Code: "InternalServiceError", Message: "An error occurred on the server side."}
		}
		status, reply = failure.status(), failure.body()
		w.Header().Set("x-amzn-ErrorType", failure.Code)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("x-amzn-RequestId", newRequestID())
	w.WriteHeader(status)
	_, _ = w.Write(reply) // the client is gone
}

// answer runs the action of a request and returns the body of the reply.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	run := actions[name]
	if !ok || run == nil || r.Method != http.MethodPost {
		return nil, errUnknownOperation
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[name]++
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, errBodyTooLarge
	}
	if err != nil {
		return nil, errUnreadable
	}
	out, err := run(&s.account, body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out) // still locked: out points into the account
}

// newRequestID returns a random UUID.
func newRequestID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// epoch is a time as JSON 1.1 has it: seconds since 1970, here with milliseconds.
type epoch time.Time

// MarshalJSON returns the seconds as a number.
func (e epoch) MarshalJSON() ([]byte, error) {
	ms := time.Time(e).UnixMilli()
	return fmt.Appendf(nil, "%d.%03d", ms/1000, ms%1000), nil
}

// IsZero makes omitzero leave out the zero time.
func (e epoch) IsZero() bool { return time.Time(e).IsZero() }
