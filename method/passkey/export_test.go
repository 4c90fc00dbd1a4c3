package passkey

import "encoding/json"

// ParseCreated returns the credential id of what create() gave.
func ParseCreated(raw json.RawMessage) ([]byte, error) {
	parsed, err := parseCreated(raw)
	if err != nil {
		return nil, err
	}
	return parsed.Response.AttestationObject.AuthData.AttData.CredentialID, nil
}

// ParseUsed returns the credential id of what get() gave.
func ParseUsed(raw json.RawMessage) ([]byte, error) {
	parsed, err := parseUsed(raw)
	if err != nil {
		return nil, err
	}
	return parsed.RawID, nil
}

// Regressed is regressed.
func Regressed(stored, given uint32) bool { return regressed(stored, given) }

// DefaultName is defaultName.
func DefaultName(aaguid []byte) string { return defaultName(aaguid) }
