package passkey

import (
	"encoding/json"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"
)

// Bounds of what a browser sends. The largest attestation statements, those of a TPM with its certificates, take 8 KiB.
const (
	maxAnswer     = 16 << 10
	maxTransports = 8
)

// bounded takes the JSON of a credential, also when a page's form sent it as text.
func bounded(raw json.RawMessage) ([]byte, error) {
	if len(raw) > maxAnswer {
		return nil, errMalformed.At("body.credential", "is too large")
	}
	if len(raw) == 0 || raw[0] != '"' {
		return raw, nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, malformed(err)
	}
	return []byte(text), nil
}

func malformed(err error) error {
	return errMalformed.At("body.credential", "must be what toJSON() gives for the credential").Because(explain(err))
}

// parseCreated reads what navigator.credentials.create() gave.
func parseCreated(raw json.RawMessage) (*protocol.ParsedCredentialCreationData, error) {
	text, err := bounded(raw)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(text)
	if err != nil {
		return nil, malformed(err)
	}
	if len(parsed.Response.Transports) > maxTransports {
		return nil, errMalformed.At("body.credential", "names too many transports")
	}
	for _, t := range parsed.Response.Transports {
		if len(t) > 32 {
			return nil, errMalformed.At("body.credential", "names an unknown transport")
		}
	}
	return parsed, nil
}

// parseUsed reads what navigator.credentials.get() gave.
func parseUsed(raw json.RawMessage) (*protocol.ParsedCredentialAssertionData, error) {
	text, err := bounded(raw)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(text)
	if err != nil {
		return nil, malformed(err)
	}
	return parsed, nil
}

// explain keeps what go-webauthn tells developers, for the log.
func explain(err error) error {
	if known := new(protocol.Error); errors.As(err, &known) && known.DevInfo != "" {
		return errors.Join(err, errors.New(known.DevInfo))
	}
	return err
}
