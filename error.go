package ostiary

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ostiary/ostiary/internal/web"
	"github.com/ostiary/ostiary/store"
)

// Error is all that a caller may see of a failure. Any other error becomes "internal" with an id that the log explains.
// Codes are part of the interface: none is ever changed.
type Error struct {
	Status     int
	Code       string
	Message    string        // for people
	Fields     []FieldError  // what was wrong with the input, and where
	RetryAfter time.Duration // for 429 and 503
	Challenge  string        // parameters of WWW-Authenticate (RFC 6750 §3, RFC 9470 §3)
	cause      error
}

// FieldError locates one mistake in the input ("body.email").
type FieldError = web.Field

// Fail makes an Error. Status 401 is for who the caller is, 403 for what he may do (RFC 6750 §3.1).
func Fail(status int, code, message string) *Error {
	return &Error{Status: status, Code: code, Message: message}
}

func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %v", e.Code, e.cause)
	}
	return e.Code
}

// Because returns a copy that remembers its cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// At returns a copy that points at a place in the input.
func (e *Error) At(location, message string) *Error {
	c := *e
	c.Fields = append(c.Fields[:len(c.Fields):len(c.Fields)], FieldError{Location: location, Message: message, Code: e.Code})
	return &c
}

// After returns a copy that asks the caller to wait.
func (e *Error) After(wait time.Duration) *Error {
	c := *e
	c.RetryAfter = max(wait, time.Second)
	return &c
}

// Is compares codes, so errors.Is works across copies.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// The refusals of the engine. Parts and methods have their own.
var (
	errInvalidRequest  = Fail(http.StatusBadRequest, "invalid_request", "The request is not valid.")
	errUnknownField    = Fail(http.StatusBadRequest, "unknown_field", "The request has a field that is not known here.")
	errTooLarge        = Fail(http.StatusRequestEntityTooLarge, "payload_too_large", "The request is too large.")
	errMediaType       = Fail(http.StatusUnsupportedMediaType, "unsupported_media_type", "The Content-Type must be application/json.")
	errNotFound        = Fail(http.StatusNotFound, "not_found", "There is nothing here.")
	errMethod          = Fail(http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take that method.")
	errMisdirected     = Fail(http.StatusMisdirectedRequest, "misdirected_request", "This host name is not served here.")
	errCrossOrigin     = Fail(http.StatusForbidden, "cross_origin", "The request came from another site.")
	errNotSignedIn     = Fail(http.StatusUnauthorized, "not_authenticated", "You are not signed in.")
	errInvalidToken    = Fail(http.StatusUnauthorized, "invalid_token", "The token is not valid.")
	errTokenExpired    = Fail(http.StatusUnauthorized, "token_expired", "The token has expired.")
	errTokenRevoked    = Fail(http.StatusUnauthorized, "token_revoked", "The token was revoked.")
	errTokenReused     = Fail(http.StatusUnauthorized, "token_reused", "The refresh token was used before. The session it belongs to was ended for safety; please sign in again.")
	errCredentials     = Fail(http.StatusUnauthorized, "invalid_credentials", "The address or the password is not right.")
	errReauthenticate  = Fail(http.StatusUnauthorized, "reauthentication_required", "Please prove again that it is you.")
	errMFAFailed       = Fail(http.StatusUnauthorized, "mfa_failed", "That code is not right.")
	errMFARequired     = Fail(http.StatusForbidden, "mfa_required", "This needs a second factor.")
	errInvalidTicket   = Fail(http.StatusBadRequest, "invalid_ticket", "This link or code is wrong, was used before, or has expired.")
	errForbidden       = Fail(http.StatusForbidden, "forbidden", "You may not do that.")
	errScope           = Fail(http.StatusForbidden, "insufficient_scope", "This token may not be used here.")
	errDisabled        = Fail(http.StatusForbidden, "account_disabled", "This account is disabled.")
	errUnverified      = Fail(http.StatusForbidden, "email_not_verified", "Please confirm your address first: follow the link in the mail that we sent.")
	errSignUpClosed    = Fail(http.StatusForbidden, "signup_closed", "New accounts cannot be created here.")
	errEmailTaken      = Fail(http.StatusConflict, "email_taken", "There is an account with this address already.")
	errConflict        = Fail(http.StatusConflict, "conflict", "Somebody else changed this at the same moment. Please try again.")
	errLastAdmin       = Fail(http.StatusConflict, "last_administrator", "This is the last administrator: make somebody else one first.")
	errRoleInUse       = Fail(http.StatusConflict, "conflict", "Somebody has this role: take it away first.")
	errLinkRequired    = Fail(http.StatusConflict, "link_required", "There is an account with this address already. Sign in to it first, then connect the provider.")
	errRateLimited     = Fail(http.StatusTooManyRequests, "rate_limited", "Too many attempts. Please wait a moment.")
	errMailMissing     = Fail(http.StatusServiceUnavailable, "mail_not_configured", "This server cannot send mail yet.")
	errUnavailable     = Fail(http.StatusServiceUnavailable, "unavailable", "The service cannot answer right now.").After(time.Second)
	errInternal        = Fail(http.StatusInternalServerError, "internal", "Something went wrong on our side.")
	errAddress         = Fail(http.StatusBadRequest, "invalid_request", "That is not a valid e-mail address.").At("body.email", "must be an e-mail address like ada@example.com")
	errTwoCredentials  = Fail(http.StatusBadRequest, "invalid_request", "More than one credential was sent; send one.")
	errUnknownDelivery = Fail(http.StatusBadRequest, "invalid_request", "The delivery is not known.").At("body.delivery", "must be session, split, cookies or body")
)

// problem maps any error to what may be seen of it. What is not known becomes internal; a fault of the store becomes 503.
func problem(err error) *Error {
	if known := new(Error); errors.As(err, &known) {
		return known
	}
	if input := new(web.InputError); errors.As(err, &input) {
		return inputProblem(input)
	}
	if errors.Is(err, store.ErrConflict) {
		return errConflict.Because(err)
	}
	if fault := new(storeFault); errors.As(err, &fault) {
		return errUnavailable.Because(err)
	}
	return errInternal.Because(err)
}

func inputProblem(input *web.InputError) *Error {
	base := errInvalidRequest
	switch input.Kind {
	case web.Unknown:
		base = errUnknownField
	case web.TooLarge:
		base = errTooLarge
	case web.MediaType:
		base = errMediaType
	}
	e := *base
	e.Message, e.Fields = input.Detail, input.Fields
	return &e
}

// storeFault marks an error of a backend that is not one of its decisions: the answer is 503.
type storeFault struct{ err error }

func (f *storeFault) Error() string { return f.err.Error() }
func (f *storeFault) Unwrap() error { return f.err }

// fault marks err unless it is a decision of the store, an Error, or nil.
func fault(doing string, err error) error {
	if err == nil {
		return nil
	}
	if known := new(Error); errors.As(err, &known) {
		return err
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUsed) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if already := new(storeFault); errors.As(err, &already) {
		return err
	}
	return &storeFault{fmt.Errorf("%s: %w", doing, err)}
}
