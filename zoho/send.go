package zoho

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// maxBody is how much of an answer is read.
const maxBody = 1 << 20

var (
	errLate  = tokenkeep.ErrTooLate
	errLarge = errors.New("the answer is larger than 1 MiB")
)

// post sends a form, and returns status and body of the answer, whatever they are.
func (p *Provider) post(ctx context.Context, address string, form url.Values) (int, []byte, error) {
	encoded := form.Encode()
	body := func() (io.ReadCloser, error) {
		return io.NopCloser(&punctual{Reader: strings.NewReader(encoded), check: func() error { return p.late(ctx) }}), nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
	if err != nil {
		return 0, nil, errOrigin
	}
	req.Body, _ = body()
	req.GetBody, req.ContentLength = body, int64(len(encoded))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.send(req)
}

// send sends a request, follows no redirect, and returns status and body of the answer. Its errors are transient, and
// hold no text of the server.
func (p *Provider) send(req *http.Request) (int, []byte, error) {
	if err := p.late(req.Context()); err != nil {
		return 0, nil, transient("%w", err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, nil, transient("%s gave no answer: %w", req.URL.Host, cause(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = errLarge
	}
	if err != nil {
		return 0, nil, transient("%s gave no whole answer: %w", req.URL.Host, cause(err))
	}
	return resp.StatusCode, body, nil
}

// late tells that nothing may be sent any more, by the wall clock: a process may have been frozen in between.
func (p *Provider) late(ctx context.Context) error {
	if notAfter, ok := driver.NotAfter(ctx); ok && p.now().After(notAfter) {
		return errLate
	}
	return nil
}

// punctual is a body that is not handed out when it is too late. The transport reads it last, when it has a connection,
// and reads it anew where it sends a request again; nothing has left the machine before.
type punctual struct {
	io.Reader
	check func() error
}

func (b *punctual) Read(to []byte) (int, error) {
	if err := b.check(); err != nil {
		return 0, err
	}
	return b.Reader.Read(to)
}

// cause returns what is known to hold no text of the server: net/http quotes what it cannot parse.
func cause(err error) error {
	for _, plain := range []error{errLate, errLarge, context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, plain) {
			return plain
		}
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return network
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return certificate
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return context.DeadlineExceeded
	}
	return errors.New("the connection failed")
}
