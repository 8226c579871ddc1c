package gcpsmtest

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Errors that are the same wherever they occur. The second is what a client of gRPC makes of a connection that ends.
var (
	errInternal = status.Error(codes.Internal, "Internal error encountered.")
	errCut      = status.Error(codes.Unavailable, "error reading from server: EOF")
	errThrottle = status.Error(codes.ResourceExhausted, "Quota exceeded.")
)

// invalid is INVALID_ARGUMENT. Its text never holds a payload.
func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

func errNoSecret(secret string) error {
	return status.Errorf(codes.NotFound, "Secret [%s] not found.", secret)
}

func errNoVersions(secret string) error {
	return status.Errorf(codes.NotFound, "Secret [%s] not found or has no versions.", secret)
}

func errNoVersion(version string) error {
	return status.Errorf(codes.NotFound, "Secret Version [%s] not found.", version)
}

func errState(version, state string) error {
	return status.Errorf(codes.FailedPrecondition, "Secret Version [%s] is in %s state.", version, state)
}
