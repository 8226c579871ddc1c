package awssm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"github.com/tokenkeep/tokenkeep/driver"
)

// fail makes the error of a method out of the error of one call for it.
func (s *secrets) fail(ctx context.Context, op, name string, a *attempts, err error) error {
	return s.errorOf(op, name, a, s.cause(ctx, op, s.FullName(name), a, err))
}

// errorOf wraps what this package found out by itself.
func (s *secrets) errorOf(op, name string, a *attempts, err error) error {
	return &driver.Error{Op: op, Name: name, Secret: s.FullName(name), Resent: a.resent, Err: err}
}

// cause says what an error of the SDK means and what to do about it.
func (s *secrets) cause(ctx context.Context, op, secret string, a *attempts, err error) error {
	if errors.Is(err, tooLate{}) {
		return fmt.Errorf("%w: %w", tooLate{}, driver.ErrConflict)
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		if c := s.apiCause(op, secret, api.ErrorCode(), api.ErrorMessage(), withoutOperation(err)); c != nil {
			return c
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("given up: %w", ctx.Err())
	}
	return statusCause(op, secret, a, err)
}

// apiCause sorts the error codes of the API. It returns nil for one that it does not know.
//
// Only the messages of these codes are passed on: a ValidationException, for one, quotes the parameter it refuses,
// which may be the payload.
func (s *secrets) apiCause(op, secret, code, message string, err error) error {
	explain := func(kind error, format string, args ...any) error {
		return fmt.Errorf("%s: %w (%w)", fmt.Sprintf(format, args...), kind, err)
	}
	switch code {
	case "ResourceNotFoundException":
		return driver.ErrNotFound
	case "ResourceExistsException":
		return driver.ErrConflict
	case "InvalidRequestException":
		if mentionsDeletion(message) {
			return fmt.Errorf("scheduled for deletion: %w", driver.ErrNotFound)
		}
		return explain(driver.ErrInvalid, "the secret's state does not allow this; does another service manage or rotate it?")
	case "InvalidParameterException":
		return explain(driver.ErrInvalid, "check Options.KMSKeyID and Options.Tags")
	case "LimitExceededException":
		return explain(driver.ErrQuota, "%s", quotaAdvice(op))
	case "DecryptionFailure", "EncryptionFailure":
		return explain(driver.ErrPermission, "check that %s is enabled and that its policy allows kms:Decrypt and kms:GenerateDataKey", s.key())
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded":
		return explain(driver.ErrUnavailable, "throttled; send less, or set a higher RetryMaxAttempts or the adaptive retry mode on the client")
	case "InternalServiceError", "InternalFailure", "ServiceUnavailable", "ServiceUnavailableException":
		return explain(driver.ErrUnavailable, "try again")
	case "AccessDeniedException", "AccessDenied":
		if strings.Contains(message, "KMS") || strings.Contains(message, "kms:") {
			return explain(driver.ErrPermission, "allow kms:Decrypt and kms:GenerateDataKey on %s", s.key())
		}
		return explain(driver.ErrPermission, "%s", permissionAdvice(op, secret))
	}
	if credentialCodes[code] {
		return explain(driver.ErrPermission, "check the credentials of the client and the clock of this machine")
	}
	return nil
}

// credentialCodes are the common errors of AWS services about who signed a request.
var credentialCodes = map[string]bool{
	"UnrecognizedClientException": true, "InvalidClientTokenId": true, "InvalidSignatureException": true,
	"SignatureDoesNotMatch": true, "IncompleteSignature": true, "IncompleteSignatureException": true,
	"MissingAuthenticationToken": true, "MissingAuthenticationTokenException": true, "ExpiredToken": true,
	"ExpiredTokenException": true, "RequestExpired": true, "NotAuthorized": true, "OptInRequired": true,
}

// statusCause sorts what has no known code of the API, without passing on any text of the service.
func statusCause(op, secret string, a *attempts, err error) error {
	status := httpStatus(err)
	answered := func(kind error, advice string) error {
		return fmt.Errorf("%s: %w (HTTP status %d%s)", advice, kind, status, codeOf(err))
	}
	switch {
	case status == http.StatusForbidden:
		return answered(driver.ErrPermission, permissionAdvice(op, secret))
	case status == http.StatusRequestEntityTooLarge:
		return answered(driver.ErrTooLarge, "the request is refused for its size")
	case status/100 == 4 && codeOf(err) != "":
		return answered(driver.ErrInvalid, "the request is refused")
	case status != 0:
		return answered(driver.ErrUnavailable, "this is no answer of Secrets Manager; check the endpoint of the client")
	case a.sent > 0:
		return fmt.Errorf("%w (%w)", driver.ErrUnavailable, withoutOperation(err))
	case strings.Contains(err.Error(), "Missing Region"):
		return fmt.Errorf("the client has no region; set Region in its aws.Config, or AWS_REGION: %w", driver.ErrInvalid)
	case strings.Contains(err.Error(), "get identity"):
		return fmt.Errorf("no request was sent, as the client got no credentials; check its aws.Config: %w (%w)",
			driver.ErrPermission, withoutOperation(err))
	}
	return fmt.Errorf("no request was sent: %w (%w)", driver.ErrUnavailable, withoutOperation(err))
}

// codeOf is what a reply calls its error, as far as it looks like a name, for use after the HTTP status.
func codeOf(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() == "UnknownError" {
		return ""
	}
	code := api.ErrorCode()
	if len(code) > 64 || strings.Trim(strings.ToLower(code), "abcdefghijklmnopqrstuvwxyz.") != "" {
		return ""
	}
	return ", " + code
}

// withoutOperation leaves out the SDK's name for the call, which *driver.Error has.
func withoutOperation(err error) error {
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		return operation.Err
	}
	return err
}

func quotaAdvice(op string) string {
	switch op {
	case "CreateSecret":
		return "the account's quota of secrets is used up; delete some, or ask AWS for more"
	case "PutSecretValue":
		return fmt.Sprintf("a secret takes about %d versions in 24 hours, and %d staging labels; write it less often, or wait", versionsPerDay, maxLabels)
	case "UpdateSecretVersionStage":
		return fmt.Sprintf("a secret takes %d staging labels; remove some", maxLabels)
	}
	return "a quota of Secrets Manager is used up"
}

// permissionAdvice names what a policy lacks. The six question marks stand for the suffix of an ARN.
func permissionAdvice(op, secret string) string {
	actions := "secretsmanager:" + op
	switch op {
	case "CreateSecret":
		actions += " and secretsmanager:TagResource"
	case "ListSecrets":
		return "allow " + actions + " on *, it takes no other resource"
	}
	return fmt.Sprintf("allow %s on arn:aws:secretsmanager:*:*:secret:%s-??????", actions, secret)
}

// key names the KMS key, as far as it is known.
func (s *secrets) key() string {
	if s.kmsKeyID != "" {
		return fmt.Sprintf("the KMS key %q", s.kmsKeyID)
	}
	return "the secret's KMS key"
}

// mentionsDeletion tells the InvalidRequestException of a secret that is scheduled for deletion from the others.
// The API has no code for it.
func mentionsDeletion(message string) bool {
	m := strings.ToLower(message)
	return strings.Contains(m, "deletion") || strings.Contains(m, "deleted")
}

// absent tells whether an error means that there is no live secret.
func absent(err error) bool {
	var missing *types.ResourceNotFoundException
	return errors.As(err, &missing) || scheduledForDeletion(err)
}

func scheduledForDeletion(err error) bool {
	var state *types.InvalidRequestException
	return errors.As(err, &state) && mentionsDeletion(state.ErrorMessage())
}

// exists tells whether an error means that the name, or the version, is taken.
func exists(err error) bool {
	var taken *types.ResourceExistsException
	return errors.As(err, &taken)
}

// unlessExists is err, unless that means that a version is taken.
func unlessExists(err error) error {
	if exists(err) {
		return nil
	}
	return err
}

// misplaced tells whether an error means that a label is not on the version that it was to be taken from.
func misplaced(err error) bool {
	var parameter *types.InvalidParameterException
	return errors.As(err, &parameter)
}

// denied tells whether an error is a refusal of the call itself.
func denied(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "AccessDeniedException" || api.ErrorCode() == "AccessDenied") {
		return true
	}
	return httpStatus(err) == http.StatusForbidden
}
