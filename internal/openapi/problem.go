package openapi

import "github.com/google/jsonschema-go/jsonschema"

// Codes are the stable codes of problems. A test holds them against the code.
func Codes() []string {
	return []string{
		"account_disabled", "conflict", "cross_origin", "email_not_verified", "email_taken", "forbidden", "insufficient_scope",
		"internal", "invalid_credentials", "invalid_request", "invalid_ticket", "invalid_token", "last_administrator", "last_way_in",
		"link_required", "mail_not_configured", "method_not_allowed", "mfa_failed", "mfa_required", "misdirected_request",
		"not_authenticated", "not_found", "overloaded", "passkeys_unavailable", "payload_too_large", "rate_limited",
		"reauthentication_required", "recovery_pending",
		"signup_closed", "token_expired", "token_reused", "token_revoked", "unavailable", "unknown_field",
		"unsupported_media_type", "weak_password",
	}
}

type response struct {
	Ref         string            `json:"$ref,omitempty"`
	Description string            `json:"description,omitempty"`
	Headers     map[string]object `json:"headers,omitempty"`
	Content     map[string]media  `json:"content,omitempty"`
}

func sharedResponses() map[string]response {
	content := map[string]media{"application/problem+json": {&jsonschema.Schema{Ref: refPrefix + "Problem"}}}
	wait := map[string]object{"Retry-After": {"description": "Seconds to wait.", "schema": object{"type": "integer", "minimum": 1}}}
	return map[string]response{
		"Problem":     {Description: "The request was refused (RFC 9457).", Content: content},
		"RateLimited": {Description: "Too many requests.", Headers: wait, Content: content},
		"Unavailable": {Description: "The service cannot answer right now.", Headers: wait, Content: content},
	}
}

func problem() *jsonschema.Schema {
	text := func(says string) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Description: says} }
	field := &jsonschema.Schema{
		Type: "object", Required: []string{"location", "message"}, PropertyOrder: []string{"location", "message", "code"},
		Properties: map[string]*jsonschema.Schema{
			"location": text("Where: body.email, query.limit, path.id."), "message": text("What is wrong there."), "code": text("A stable code."),
		},
	}
	codes := enum(Codes()...)
	codes.Description = "For programs; never changes."
	return &jsonschema.Schema{
		Type: "object", Description: "RFC 9457 problem details.", Required: []string{"type", "title", "status", "detail", "code"},
		PropertyOrder: []string{"type", "title", "status", "detail", "code", "errors", "request_id"},
		Properties: map[string]*jsonschema.Schema{
			"type": text("Always about:blank."), "title": text("The name of the status."),
			"status": {Type: "integer"}, "detail": text("For people."), "code": codes,
			"errors": {Type: "array", Items: field, Description: "What is wrong with the input."}, "request_id": text("Names the request in the log."),
		},
	}
}
