package totp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

const (
	fresh     = ostiary.Fresh(10 * time.Minute) // how old the last proof may be where factors are changed
	kindSetup = "setup"
	setupTTL  = 10 * time.Minute
	maxUsed   = 3 // how often a credential is read again because somebody else used it at the same moment
)

// Config says how the factor is shown.
type Config struct {
	Issuer string // the name that apps show. Default: the engine's Product
}

// Method is the second factor "totp". Make it with [New], and hand the engine its [Method.BackupCodes], too.
type Method struct {
	kit    *ostiary.Kit
	issuer string
	backup *Backup
}

// New makes the method.
func New(cfg Config) *Method { return &Method{issuer: cfg.Issuer, backup: &Backup{}} }

// BackupCodes is the method of the codes that stand in for a factor that is not at hand.
func (m *Method) BackupCodes() *Backup { return m.backup }

// Name is "totp".
func (m *Method) Name() string { return "totp" }

// Field is the member of a request that holds a code.
func (m *Method) Field() string { return "code" }

// Guessable is true: a code has six digits.
func (m *Method) Guessable() bool { return true }

// Routes is called by the engine.
func (m *Method) Routes(k *ostiary.Kit) ([]ostiary.Route, error) {
	m.kit = k
	need := []ostiary.Check{fresh}
	return []ostiary.Route{
		{
			Name: "mfa.totp.setup", Pattern: "POST /api/v1/mfa/totp/setup", Need: need, Serve: ostiary.JSON(m.setup),
			Doc: "Makes a secret for an authenticator app. Nothing is enabled before a code of it was confirmed, within ten minutes.",
		},
		{
			Name: "mfa.totp.confirm", Pattern: "POST /api/v1/mfa/totp/confirm", Need: need, Serve: ostiary.JSON(m.confirm),
			Doc: "Enables the authenticator app with a code that it shows. Every other session of the person ends when it is the only factor.",
		},
		{
			Name: "mfa.totp.delete", Pattern: "DELETE /api/v1/mfa/totp", Need: need, Serve: ostiary.JSON(m.remove),
			Doc: "Removes the authenticator app; backup codes go with the last factor.",
		},
	}, nil
}

// The refusals of this package, which share their codes with the engine's.
var (
	errFailed    = ostiary.Fail(401, "mfa_failed", "That code is not right, or was used before.")
	errMalformed = ostiary.Fail(400, "invalid_request", "The request is not valid.")
	errNone      = ostiary.Fail(404, "not_found", "There is no authenticator app.")
	errForbidden = ostiary.Fail(403, "forbidden", "Only people have second factors.")
)

// device is what is kept of an authenticator app: its secret, and the last time step whose code was used.
type device struct {
	Secret []byte `json:"s"`
	Used   int64  `json:"u"`
}

// Verify takes a code, and uses up its time step: of several callers with the same code one wins, because the step is
// noted by compare-and-swap.
func (m *Method) Verify(ctx context.Context, _ *ostiary.Call, userID string, response json.RawMessage) (ostiary.Proof, error) {
	var text string
	if err := json.Unmarshal(response, &text); err != nil {
		return ostiary.Proof{}, errMalformed.At("body.code", "must be the code as a text")
	}
	code := plain(text)
	for range maxUsed {
		cred, d, err := m.enrolled(ctx, m.kit.Credentials, userID)
		if err != nil {
			return ostiary.Proof{}, err
		}
		step, ok := match(d.Secret, code, m.kit.Now(), d.Used)
		if !ok || cred.ID == "" {
			return ostiary.Proof{}, errFailed
		}
		d.Used = step
		if cred.Data, err = json.Marshal(d); err != nil {
			return ostiary.Proof{}, fmt.Errorf("write authenticator: %w", err)
		}
		err = m.kit.Credentials.Update(ctx, cred)
		if err == nil {
			return ostiary.Proof{UserID: userID, AMR: []string{"otp"}}, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return ostiary.Proof{}, ostiary.Found(err)
		}
	}
	return ostiary.Proof{}, errFailed
}

// enrolled reads a person's authenticator; the credential is empty when there is none, and the work is the same.
func (m *Method) enrolled(ctx context.Context, v *ostiary.Vault, userID string) (ostiary.Credential, device, error) {
	rows, err := v.Of(ctx, userID)
	if err != nil || len(rows) == 0 {
		return ostiary.Credential{}, device{}, err
	}
	var d device
	if err := json.Unmarshal(rows[0].Data, &d); err != nil {
		return ostiary.Credential{}, d, fmt.Errorf("read authenticator: %w", err)
	}
	return rows[0], d, nil
}
