package awssm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/middleware"

	"github.com/tokenkeep/tokenkeep/driver"
)

// noToken is the name of a secret that no token has, since the ID would be empty. Every policy lets it be read.
const noToken = "t_x"

// Time is the Date of a reply of Secrets Manager, also of one that refuses: 1 call, GetSecretValue of a secret that is not
// there.
func (s *secrets) Time(ctx context.Context) (time.Time, error) {
	a, date := s.reads(), &dated{}
	in := &secretsmanager.GetSecretValueInput{SecretId: aws.String(s.FullName(noToken))}
	_, err := s.client.GetSecretValue(ctx, in, a.option, date.option)
	switch {
	case !date.at.IsZero():
		return date.at, nil
	case err != nil:
		return time.Time{}, s.fail(ctx, "GetSecretValue", noToken, a, err)
	}
	return time.Time{}, s.errorOf("GetSecretValue", noToken, a, fmt.Errorf("%w: %w", errUndated, driver.ErrUnavailable))
}

var errUndated = errors.New("the reply has no date; check the endpoint of the client")

// dated is a middleware that notes the Date of the last reply of one call.
type dated struct{ at time.Time }

func (d *dated) option(o *secretsmanager.Options) {
	o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], func(stack *middleware.Stack) error {
		return stack.Finalize.Add(d, middleware.After)
	})
}

// ID is the name of the middleware that dated is to the SDK.
func (d *dated) ID() string { return "tokenkeepDated" }

// HandleFinalize sends one request.
func (d *dated) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	out, metadata, err := next.HandleFinalize(ctx, in)
	if at, ok := awsmiddleware.GetServerTime(metadata); ok {
		d.at = at
	}
	return out, metadata, err
}
