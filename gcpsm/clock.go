package gcpsm

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/tokenkeep/tokenkeep/driver"
)

// noToken is the name of a secret that no token has, since the ID would be empty. Every role lets it be read.
const noToken = "t_x"

// Time is the date of a reply of Secret Manager, also of one that refuses: 1 access, of a version that is not there. A client
// over REST does not show the dates of replies, so Time is an error.
func (s *secrets) Time(ctx context.Context) (time.Time, error) {
	const op = "AccessSecretVersion"
	a := s.reads()
	header, trailer := metadata.MD{}, metadata.MD{}
	_, err := do(ctx, s, a, request[*secretmanagerpb.AccessSecretVersionResponse]{op: op,
		send: func(ctx context.Context, options ...gax.CallOption) (*secretmanagerpb.AccessSecretVersionResponse, error) {
			in := &secretmanagerpb.AccessSecretVersionRequest{Name: s.FullName(noToken) + "/versions/" + current}
			options = append(options, gax.WithGRPCOptions(grpc.Header(&header), grpc.Trailer(&trailer)))
			return s.client.AccessSecretVersion(ctx, in, options...)
		}})
	// A reply without a message has one block of metadata, which gRPC takes for the trailer.
	for _, text := range append(header.Get("date"), trailer.Get("date")...) {
		if at, err := http.ParseTime(text); err == nil {
			return at, nil
		}
	}
	if err != nil && !absent(err) {
		return time.Time{}, s.errorOf(ctx, op, noToken, a, in(op, err))
	}
	return time.Time{}, s.errorOf(ctx, op, noToken, a, fmt.Errorf("the reply has no date: %w", driver.ErrUnavailable))
}
