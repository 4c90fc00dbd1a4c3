package totp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"rsc.io/qr"

	"github.com/ostiary/ostiary"
)

// SetupAnswer is what an authenticator app is told, in three forms.
type SetupAnswer struct {
	Secret     string `json:"secret"`      // base32, to be typed
	OtpauthURL string `json:"otpauth_url"` // to be opened on the phone itself
	QRCode     string `json:"qr_code"`     // the same as an image, data:image/png
}

// pending is a secret that no app has shown a code of yet.
type pending struct {
	Secret []byte `json:"s"`
}

// setup makes a secret. An authenticator that is enrolled already stays until the new one was confirmed.
func (m *Method) setup(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (SetupAnswer, error) {
	u, err := caller(ctx, m.kit, c)
	if err != nil {
		return SetupAnswer{}, err
	}
	secret := newSecret()
	answer, err := m.present(u, secret)
	if err != nil {
		return SetupAnswer{}, err
	}
	return answer, m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		return t.Tickets.Hold(ctx, kindSetup, u.ID, setupTTL, pending{secret})
	})
}

// present writes the secret in the form that apps read (the Key URI format).
func (m *Method) present(u ostiary.User, secret []byte) (SetupAnswer, error) {
	text := base32Text.EncodeToString(secret)
	address := otpauth(m.shownIssuer(), account(u), text)
	code, err := qr.Encode(address, qr.M)
	if err != nil {
		return SetupAnswer{}, fmt.Errorf("draw QR code: %w", err)
	}
	return SetupAnswer{Secret: text, OtpauthURL: address, QRCode: "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())}, nil
}

func (m *Method) shownIssuer() string {
	if m.issuer != "" {
		return m.issuer
	}
	return m.kit.Product()
}

func account(u ostiary.User) string {
	for _, s := range []string{u.Email, u.Name} {
		if s != "" {
			return s
		}
	}
	return u.ID
}

// otpauth holds issuer and account percent-encoded, spaces included; a colon can be in neither.
func otpauth(issuer, account, secret string) string {
	encode := func(s string) string {
		return strings.ReplaceAll(url.QueryEscape(strings.ReplaceAll(s, ":", " ")), "+", "%20")
	}
	return "otpauth://totp/" + encode(issuer) + ":" + encode(account) + "?secret=" + secret + "&issuer=" + encode(issuer) + "&algorithm=SHA1&digits=6&period=30"
}

type confirmInput struct {
	Code string `json:"code"`
}

// CodesAnswer holds backup codes, which are never shown again.
type CodesAnswer struct {
	BackupCodes []string `json:"backup_codes"`
}

// confirm enables the authenticator whose code is shown. Of several callers one wins: the setup is used up in the
// transaction, and stays when the code was wrong.
func (m *Method) confirm(ctx context.Context, c *ostiary.Call, in *confirmInput) (CodesAnswer, error) {
	u, err := caller(ctx, m.kit, c)
	if err != nil {
		return CodesAnswer{}, err
	}
	code := plain(in.Code)
	var codes []string
	err = m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		var setup pending
		if _, err := t.Tickets.Redeem(ctx, kindSetup, u.ID, &setup); err != nil {
			return err
		}
		step, ok := match(setup.Secret, code, m.kit.Now(), 0)
		if !ok {
			return errFailed
		}
		codes, err = m.enable(ctx, t, u, device{setup.Secret, step})
		return err
	})
	return CodesAnswer{codes}, err
}

// enable puts the authenticator in the place of an earlier one. When it is the only factor, the engine ends every other
// session.
func (m *Method) enable(ctx context.Context, t *ostiary.Tx, u ostiary.User, d device) ([]string, error) {
	old, _, err := m.enrolled(ctx, t.Credentials, u.ID)
	if err != nil {
		return nil, err
	}
	if old.ID != "" {
		if err := t.Credentials.Delete(ctx, old); err != nil {
			return nil, err
		}
	}
	data, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("write authenticator: %w", err)
	}
	if _, err := t.Credentials.Create(ctx, ostiary.Credential{UserID: u.ID, Lookup: u.ID, Factor: true, Data: data}); err != nil {
		return nil, err
	}
	codes, err := m.backup.renew(ctx, t, u.ID)
	if err != nil {
		return nil, err
	}
	return codes, m.tell(ctx, t, u, "mfa.enabled", "mfa_enabled")
}

// remove disables the authenticator.
func (m *Method) remove(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.None, error) {
	u, err := caller(ctx, m.kit, c)
	if err != nil {
		return ostiary.None{}, err
	}
	return ostiary.None{}, m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if err := t.Tickets.Void(ctx, kindSetup, u.ID); err != nil {
			return err
		}
		old, _, err := m.enrolled(ctx, t.Credentials, u.ID)
		if err != nil {
			return err
		}
		if old.ID == "" {
			return errNone
		}
		if err := t.Credentials.Delete(ctx, old); err != nil {
			return err
		}
		return m.tell(ctx, t, u, "mfa.disabled", "mfa_disabled")
	})
}

func (m *Method) tell(ctx context.Context, t *ostiary.Tx, u ostiary.User, event, template string) error {
	if err := t.Emit(ctx, event, u.ID, map[string]string{"method": m.Name()}); err != nil {
		return err
	}
	return t.Mail(ctx, u, template, map[string]string{"Link": m.kit.Link("/account")})
}

// caller reads who is signed in, as he is now.
func caller(ctx context.Context, k *ostiary.Kit, c *ostiary.Call) (ostiary.User, error) {
	if c.Principal == nil || c.Principal.User == nil {
		return ostiary.User{}, errForbidden
	}
	u, err := k.User(ctx, c.Principal.User.ID)
	return u, ostiary.Found(err)
}
