package passkey

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/ostiary/ostiary"
)

// record is a passkey as it is stored: the credential record of WebAuthn §4, and what people call it.
type record struct {
	Handle     []byte    `json:"handle"`
	PublicKey  []byte    `json:"public_key"` // COSE
	Flags      byte      `json:"flags"`      // of the last use; UV is kept once it was seen
	SignCount  uint32    `json:"sign_count"`
	Transports []string  `json:"transports,omitempty"`
	AAGUID     []byte    `json:"aaguid,omitempty"`
	Format     string    `json:"format,omitempty"` // of the attestation
	Name       string    `json:"name"`
	LastUsed   time.Time `json:"last_used,omitzero"`
}

// entry is a row with its record.
type entry struct {
	row ostiary.Credential
	record
}

func open(row ostiary.Credential) (entry, error) {
	e := entry{row: row}
	if err := json.Unmarshal(row.Data, &e.record); err != nil {
		return e, fmt.Errorf("read passkey %s: %w", row.ID, err)
	}
	return e, nil
}

func openAll(rows []ostiary.Credential) ([]entry, error) {
	list := make([]entry, 0, len(rows))
	for _, row := range rows {
		e, err := open(row)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// sealed is the row with its record written back.
func (e entry) sealed() (ostiary.Credential, error) {
	data, err := json.Marshal(e.record)
	e.row.Data = data
	return e.row, err
}

func newRecord(handle []byte, c *webauthn.Credential) record {
	r := record{
		Handle: handle, PublicKey: c.PublicKey, Flags: c.Flags.MsgpByte(), SignCount: c.Authenticator.SignCount, AAGUID: c.Authenticator.AAGUID,
		Format: c.AttestationFormat,
	}
	for _, t := range c.Transport {
		r.Transports = append(r.Transports, string(t))
	}
	return r
}

func (r record) flags() webauthn.CredentialFlags {
	return webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(r.Flags))
}

// credential is the passkey as go-webauthn sees it.
func (e entry) credential() (webauthn.Credential, error) {
	id, err := b64.DecodeString(e.row.Lookup)
	if err != nil {
		return webauthn.Credential{}, fmt.Errorf("read id of passkey %s: %w", e.row.ID, err)
	}
	c := webauthn.Credential{
		ID: id, PublicKey: e.PublicKey, AttestationFormat: e.Format, Flags: e.flags(),
		Authenticator: webauthn.Authenticator{AAGUID: e.AAGUID, SignCount: e.SignCount},
	}
	for _, t := range e.Transports {
		c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
	}
	return c, nil
}

func credentials(list []entry) ([]webauthn.Credential, error) {
	all := make([]webauthn.Credential, 0, len(list))
	for _, e := range list {
		c, err := e.credential()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// Passkey is what a person sees of one of his passkeys.
type Passkey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Factor     bool       `json:"factor"`    // sign-in with a password demands a second step
	BackedUp   bool       `json:"backed_up"` // it is on more than one device, or can be restored
	Synced     bool       `json:"synced"`    // it is of a kind that can be
	AAGUID     string     `json:"aaguid"`    // the make of the authenticator; zeros when it does not tell
	Transports []string   `json:"transports"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"` // null: never
}

func (e entry) public() Passkey {
	p := Passkey{
		ID: e.row.ID, Name: e.Name, Factor: e.row.Factor, BackedUp: e.flags().BackupState, Synced: e.flags().BackupEligible,
		AAGUID: uuid(e.AAGUID), Transports: append([]string{}, e.Transports...), CreatedAt: e.row.CreatedAt,
	}
	if !e.LastUsed.IsZero() {
		p.LastUsedAt = new(e.LastUsed)
	}
	return p
}

// uuid is the text form of an AAGUID.
func uuid(b []byte) string {
	var full [16]byte
	copy(full[:], b)
	h := hex.EncodeToString(full[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
