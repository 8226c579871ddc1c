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

	"github.com/tokenkeep/tokenkeep/internal/inject"
)

// maxBody is far over the largest request that can succeed: a value of 65,536 bytes of which JSON escapes each with six.
const maxBody = 1 << 20

const contentType = "application/x-amz-json-1.1"

// An action reads the body of a request and changes or reads the account, on behalf of a caller.
type action func(a *account, by caller, body []byte) (any, error)

var actions = map[string]action{
	"BatchGetSecretValue":      onBehalf((*account).batchGetSecretValue),
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
	"UpdateSecret":             on((*account).updateSecret),
	"UpdateSecretVersionStage": on((*account).updateSecretVersionStage),
}

func on[In, Out any](run func(*account, In) (Out, error)) action {
	return onBehalf(func(a *account, _ caller, in In) (Out, error) { return run(a, in) })
}

// onBehalf is on for an action whose permissions depend on what it finds.
func onBehalf[In, Out any](run func(*account, caller, In) (Out, error)) action {
	return func(a *account, by caller, body []byte) (any, error) {
		var in In
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		return run(a, by, in)
	}
}

// request is what a client asks for.
type request struct {
	action      string
	accessKeyID string
	body        []byte
	err         error // why the body is not whole
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	reply, err := s.answer(w, r)
	if errors.Is(err, errCut) {
		panic(http.ErrAbortHandler) // net/http's way to close a connection without an answer
	}
	if err != nil {
		failure := errInternal
		_ = errors.As(err, &failure)
		status, reply = failure.status(), failure.body()
		w.Header().Set("x-amzn-ErrorType", failure.Code)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("x-amzn-RequestId", newRequestID())
	w.WriteHeader(status)
	_, _ = w.Write(reply) // the client is gone
}

// answer reads a request and returns the body of the reply.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	if !ok || actions[name] == nil || r.Method != http.MethodPost {
		return nil, errUnknownOperation
	}
	q := request{action: name, accessKeyID: accessKeyID(r)}
	q.body, q.err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	reply, held, err := s.handle(q)
	if held != nil {
		return held.Outcome(r.Context())
	}
	return reply, err
}

// handle executes a request, unless a fault has something else in mind.
func (s *Server) handle(q request) ([]byte, *inject.Injected[request, []byte], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[q.action]++
	return s.faults.Handle(q)
}

// execute runs the action of a request and returns the body of the reply. The mutex is held.
func (s *Server) execute(q request) ([]byte, error) {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(q.err, &tooLarge) {
		return nil, errBodyTooLarge
	}
	if q.err != nil {
		return nil, errUnreadable
	}
	if b := s.throttle[q.action]; b != nil && !b.take(s.account.now()) {
		return nil, errRateExceeded
	}
	policy, limited := s.policies[q.accessKeyID]
	by := caller{q.accessKeyID, policy, limited}
	if err := by.authorize(&s.account, q.action, q.body); err != nil {
		return nil, err
	}
	out, err := actions[q.action](&s.account, by, q.body)
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
