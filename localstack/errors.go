package localstack

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// apiError is what an action answers in place of a result. Its text never holds a secret value.
type apiError struct {
	Code    string
	Message string
}

// Error returns the code and the message.
func (e *apiError) Error() string { return e.Code + ": " + e.Message }

// status is 400 for nearly every error, a missing secret included (Secrets Manager API reference, Common Errors).
func (e *apiError) status() int {
	switch e.Code {
	case "RequestEntityTooLargeException":
		return http.StatusRequestEntityTooLarge
	case "InternalServiceError":
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// body is the reply. The service's own errors write Message with a capital, those of the AWS front end do not.
func (e *apiError) body() []byte {
	reply := map[string]string{"__type": e.Code, "Message": e.Message}
	switch e.Code {
	case "UnknownOperationException", "SerializationException", "ValidationException", "RequestEntityTooLargeException",
		"ThrottlingException":
		reply = map[string]string{"__type": e.Code, "message": e.Message}
	}
	body, _ := json.Marshal(reply) // strings always marshal
	return body
}

// Errors that are the same wherever they occur.
var (
	errUnknownOperation = &apiError{"UnknownOperationException", "The action or operation requested is not valid."}
	errBodyTooLarge     = &apiError{"RequestEntityTooLargeException", "The request entity is too large."}
	errUnreadable       = &apiError{"SerializationException", "The request body ended early."}
	errRateExceeded     = &apiError{"ThrottlingException", "Rate exceeded"}
	errInternal         = &apiError{"InternalServiceError", "An error occurred on the server side."}
	errNotJSON          = &apiError{"SerializationException", "The request body is not a JSON object."}

	errNotFound        = notFound("Secrets Manager can't find the specified secret.")
	errMarkedDeleted   = invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
	errNameScheduled   = invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
	errNoValue         = invalidRequest("You must provide either SecretString or SecretBinary.")
	errNoToken         = invalidRequest("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
	errStageNotOnID    = invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	errTwoValues       = invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret.")
	errTokenLength     = invalidParameter("ClientRequestToken must be 32-64 characters long.")
	errWindow          = invalidParameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	errForceWithWindow = invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	errNextToken       = &apiError{"InvalidNextTokenException", "The NextToken value is invalid."}
	errTooManyLabels   = limitExceeded("You can't attach more than %d staging labels to the versions of a secret.", maxLabels)
)

func notFound(format string, args ...any) *apiError {
	return &apiError{"ResourceNotFoundException", fmt.Sprintf(format, args...)}
}

func limitExceeded(format string, args ...any) *apiError {
	return &apiError{"LimitExceededException", fmt.Sprintf(format, args...)}
}

func exists(format string, args ...any) *apiError {
	return &apiError{"ResourceExistsException", fmt.Sprintf(format, args...)}
}

// accessDenied has the words of the service. resource is "" for an action that has none.
func accessDenied(accessKeyID, action, resource string) *apiError {
	on := ""
	if resource != "" {
		on = " on resource: " + resource
	}
	return &apiError{"AccessDeniedException", fmt.Sprintf("User: arn:aws:iam::%s:user/%s is not authorized to perform: secretsmanager:%s%s "+
		"because no identity-based policy allows the secretsmanager:%[3]s action", accountID, accessKeyID, action, on)}
}

func invalidRequest(message string) *apiError { return &apiError{"InvalidRequestException", message} }

func invalidParameter(format string, args ...any) *apiError {
	return &apiError{"InvalidParameterException", fmt.Sprintf(format, args...)}
}

// invalid is the answer to a member that breaks the length, range or pattern of AWS's service model, which the service
// checks before it looks at the request. The API reference does not list the code; the service uses it.
func invalid(member, constraint string, args ...any) *apiError {
	return &apiError{"ValidationException", "1 validation error detected: Value at '" + member +
		"' failed to satisfy constraint: Member must " + fmt.Sprintf(constraint, args...)}
}

func wrongType(member string) *apiError {
	return &apiError{"SerializationException", fmt.Sprintf("The value of %s has the wrong type.", member)}
}
