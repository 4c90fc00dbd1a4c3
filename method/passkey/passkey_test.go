package passkey_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/passkey"
	"github.com/ostiary/ostiary/ostiarytest"
)

func TestRegisterAndSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{Synced: true}
	c := w.SignUp(t, ada)
	id := w.AddPasskey(t, c, device)
	if m := w.Mail.Next(t, ada); m.Subject == "" {
		t.Error("the notice has no subject")
	}
	in := w.SignInWithPasskey(t, device)
	if got := w.me(in); got.Email != ada || got.MFA {
		t.Errorf("signed in as %+v", got)
	}
	if diff := cmp.Diff([]string{"swk", "user", "mfa"}, w.amr(in)); diff != "" {
		t.Error(diff)
	}
	list := w.passkeys(in)
	if len(list) != 1 || list[0].ID != id || list[0].Name != "Passkey" || !list[0].BackedUp || list[0].Factor || list[0].LastUsedAt == nil {
		t.Errorf("got %+v", list)
	}
}

func TestWhatWasShown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		device *ostiarytest.Authenticator
		want   []string
	}{
		{"hardware", &ostiarytest.Authenticator{}, []string{"hwk", "user", "mfa"}},
		{"a touch only", &ostiarytest.Authenticator{Unverified: true}, []string{"hwk"}},
		{"synchronised", &ostiarytest.Authenticator{Synced: true}, []string{"swk", "user", "mfa"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.AddPasskey(t, w.SignUp(t, ada), test.device)
			if diff := cmp.Diff(test.want, w.amr(w.SignInWithPasskey(t, test.device))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.SignUp(t, ada)
	w.AddPasskey(t, c, &ostiarytest.Authenticator{})
	var create struct {
		RP                     struct{ ID, Name string }
		User                   struct{ ID, Name string }
		ExcludeCredentials     []any
		Attestation            string
		AuthenticatorSelection struct{ ResidentKey, UserVerification string }
		Timeout                int
	}
	if err := json.Unmarshal(w.begin(c, "/passkeys/register/begin", nil).PublicKey, &create); err != nil {
		t.Fatal(err)
	}
	if create.RP.ID != "localhost" || create.User.Name != ada || len(create.ExcludeCredentials) != 1 || create.Timeout != 300_000 {
		t.Errorf("got %+v", create)
	}
	if create.AuthenticatorSelection.ResidentKey != "required" || create.AuthenticatorSelection.UserVerification != "preferred" {
		t.Errorf("got %+v", create.AuthenticatorSelection)
	}
	var get map[string]any
	if err := json.Unmarshal(w.begin(w.Browser(), "/passkeys/login/begin", nil).PublicKey, &get); err != nil {
		t.Fatal(err)
	}
	if get["allowCredentials"] != nil || get["rpId"] != "localhost" {
		t.Errorf("got %v", get)
	}
}

func TestSignUpWithOnlyAPasskey(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ostiary.Config){
		"tells": nil, "quiet": func(c *ostiary.Config) { c.SignUpQuiet = true },
		"verified only": func(c *ostiary.Config) { c.RequireVerifiedEmail = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, change)
			device := &ostiarytest.Authenticator{}
			c := w.SignUpWithPasskey(t, ada, device)
			if u := w.me(c); u.Email != ada {
				t.Errorf("got %+v", u)
			}
			w.me(w.SignInWithPasskey(t, device))
			w.AddPasskey(t, c, &ostiarytest.Authenticator{}) // a fresh proof, like any other
		})
	}
}

func TestR34_QuietSignUpTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *ostiary.Config) { c.SignUpQuiet = true })
	w.SignUp(t, ada)
	for _, email := range []string{ada, bob} {
		b := w.begin(w.Browser(), "/register/passkey/begin", fields{"email": email})
		credential := new(ostiarytest.Authenticator).Create(t, w.Origin, b.PublicKey)
		r := w.finish(w.Browser(), "/register/passkey/finish", b.Ticket, credential, 202, "")
		if string(r.Body) != `{"verification_required":true}`+"\n" && string(r.Body) != `{"verification_required":true}` {
			t.Errorf("%s: got %s", email, r.Body)
		}
		w.Mail.Next(t, email)
	}
}

// Whoever is in an account before its passkey becomes a factor must not stay in it.
func TestAttack_SessionFromBeforeThePasskeyWasAFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	owner := w.SignUp(t, ada)
	id := w.AddPasskey(t, owner, &ostiarytest.Authenticator{})
	thief := w.SignIn(t, ada)
	w.me(thief)
	w.want(owner, "PATCH", "/passkeys/"+id, fields{"factor": true}, 200, "")
	w.want(thief, "GET", "/me", nil, 401, "not_authenticated")
	w.want(thief, "POST", "/passkeys/register/begin", nil, 401, "not_authenticated")
	w.me(owner)
	other := &ostiarytest.Authenticator{}
	w.AddPasskey(t, owner, other)
}

// A passkey that is known already is refused alike for a free address and for a taken one.
func TestAttack_KnownPasskeyTellsWhichAddressIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *ostiary.Config) { c.SignUpQuiet = true })
	w.SignUp(t, ada)
	device := &ostiarytest.Authenticator{}
	id := w.AddPasskey(t, w.SignIn(t, ada), device)
	if id == "" {
		t.Fatal("no passkey")
	}
	device.Again = true
	for _, email := range []string{ada, bob} {
		b := w.begin(w.Browser(), "/register/passkey/begin", fields{"email": email})
		w.finish(w.Browser(), "/register/passkey/finish", b.Ticket, device.Create(t, w.Origin, b.PublicKey), 409, "conflict")
	}
}

func TestSignUpPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.SignUp(t, ada)
	w.want(w.Browser(), "POST", "/register/passkey/begin", fields{"email": ada}, 409, "email_taken")
	w.want(w.Browser(), "POST", "/register/passkey/begin", fields{"email": "nobody"}, 400, "invalid_request")
	closed := newWorld(t, func(c *ostiary.Config) { c.SignUp = ostiary.SignUpInvite })
	closed.want(closed.Browser(), "POST", "/register/passkey/begin", fields{"email": ada}, 403, "signup_closed")
	closed.want(closed.Browser(), "POST", "/register/passkey/finish", fields{"ticket": "x", "credential": fields{}}, 403, "signup_closed")
}

func TestResendKeepsThePasskeyOfTheRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{}
	b := w.begin(w.Browser(), "/register/passkey/begin", fields{"email": ada})
	w.finish(w.Browser(), "/register/passkey/finish", b.Ticket, device.Create(t, w.Origin, b.PublicKey), 201, "")
	w.Mail.Next(t, ada)
	w.want(w.Browser(), "POST", "/email/verify/resend", fields{"email": ada}, 202, "")
	w.want(w.Browser(), "POST", "/email/verify", fields{"token": w.Mail.Next(t, ada).Token()}, 204, "")
	w.me(w.SignInWithPasskey(t, device))
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{Unverified: true}
	id := w.AddPasskey(t, w.SignUp(t, ada), device)
	w.me(w.SignIn(t, ada)) // an additional way in, until it is made a factor
	c := w.SignInWithPasskey(t, device)
	w.want(c, "PATCH", "/passkeys/"+id, fields{"factor": true, "name": "My key"}, 200, "")
	if !w.me(c).MFA {
		t.Error("no factor is enrolled")
	}
	c = w.Browser()
	var pending struct {
		MFAToken string   `json:"mfa_token"`
		Methods  []string `json:"methods"`
	}
	w.want(c, "POST", "/login", fields{"email": ada, "password": ostiarytest.Password}, 200, "").JSON(t, &pending)
	if diff := cmp.Diff([]string{"passkey"}, pending.Methods); diff != "" {
		t.Fatal(diff)
	}
	b := w.begin(c, "/login/mfa/begin", fields{"mfa_token": pending.MFAToken, "method": "passkey"})
	credential := device.Get(t, w.Origin, b.PublicKey)
	w.want(c, "POST", "/login/mfa", fields{"mfa_token": pending.MFAToken, "method": "passkey", "credential": credential}, 200, "")
	if diff := cmp.Diff([]string{"pwd", "hwk", "mfa"}, w.amr(c)); diff != "" {
		t.Error(diff)
	}
}

func TestReauthenticate(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func(ticket string, credential json.RawMessage) fields{
		"ticket":       func(s string, c json.RawMessage) fields { return fields{"ticket": s, "credential": c} },
		"method":       func(_ string, c json.RawMessage) fields { return fields{"method": "passkey", "credential": c} },
		"as form text": func(_ string, c json.RawMessage) fields { return fields{"method": "passkey", "credential": string(c)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			device := &ostiarytest.Authenticator{}
			c := w.SignUpWithPasskey(t, ada, device)
			w.Clock.Advance(11 * time.Minute)
			w.want(c, "POST", "/passkeys/register/begin", nil, 401, "reauthentication_required")
			ticket, credential := w.answer(device)
			w.want(c, "POST", "/reauthenticate", body(ticket, credential), 200, "")
			w.want(c, "POST", "/passkeys/register/begin", nil, 200, "")
		})
	}
}

func TestManage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c, other := w.SignUp(t, ada), w.SignUp(t, bob)
	id := w.AddPasskey(t, c, &ostiarytest.Authenticator{})
	for _, name := range []string{"", "line\nbreak", string(make([]rune, 65))} {
		w.want(c, "PATCH", "/passkeys/"+id, fields{"name": name}, 400, "invalid_request")
	}
	w.want(c, "PATCH", "/passkeys/"+id, fields{"name": "  Blue key "}, 200, "")
	if got := w.passkeys(c)[0].Name; got != "Blue key" {
		t.Errorf("got %q", got)
	}
	w.want(other, "PATCH", "/passkeys/"+id, fields{"name": "Mine"}, 404, "not_found")
	w.want(other, "DELETE", "/passkeys/"+id, nil, 404, "not_found")
	w.want(w.Browser(), "GET", "/passkeys", nil, 401, "not_authenticated")
	w.want(c, "DELETE", "/passkeys/"+id, nil, 204, "")
	if len(w.passkeys(c)) != 0 {
		t.Error("it is still there")
	}
	for _, kind := range []string{"passkey.registered", "passkey.updated", "passkey.deleted"} {
		if !w.happened(c, kind) {
			t.Errorf("no event %s", kind)
		}
	}
	w.Clock.Advance(11 * time.Minute)
	w.want(c, "PATCH", "/passkeys/"+id, fields{"name": "x"}, 401, "reauthentication_required")
	w.want(c, "DELETE", "/passkeys/"+id, nil, 401, "reauthentication_required")
}

func TestBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.SignUp(t, ada)
	for range 25 {
		w.AddPasskey(t, c, &ostiarytest.Authenticator{})
	}
	w.want(c, "POST", "/passkeys/register/begin", nil, 409, "conflict")
}

func TestBackupStateChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{Synced: true, Alone: true}
	c := w.SignUpWithPasskey(t, ada, device)
	if w.passkeys(c)[0].BackedUp {
		t.Error("it is said to be backed up")
	}
	device.Alone = false
	w.SignInWithPasskey(t, device)
	if !w.passkeys(c)[0].BackedUp || !w.happened(c, "passkey.backup_changed") {
		t.Error("the change was not recorded")
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]passkey.Config{
		"attestation": {Attestation: "enterprise"}, "timeout": {Timeout: time.Second}, "origin with path": {RelatedOrigins: []string{"https://a.example/x"}},
		"plain origin": {RelatedOrigins: []string{"http://a.example"}}, "no origin": {RelatedOrigins: []string{"a.example"}},
	} {
		if _, err := passkey.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestR43_RelatedOriginsAreServedAtTheRoot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with(t, passkey.Config{RelatedOrigins: []string{"https://old.example"}}))
	resp, err := w.Browser().Get(w.Origin + "/.well-known/webauthn")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var document struct{ Origins []string }
	if err := json.NewDecoder(resp.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"https://old.example"}, document.Origins); diff != "" || resp.Header.Get("Content-Type") != "application/json" {
		t.Error(diff, resp.Header)
	}
	device := &ostiarytest.Authenticator{}
	w.SignUpWithPasskey(t, ada, device)
	b := w.begin(w.Browser(), "/passkeys/login/begin", nil)
	w.finish(w.Browser(), "/passkeys/login/finish", b.Ticket, device.Get(t, "https://old.example", b.PublicKey), 200, "")
}

func TestR5_NoPasskeysWithoutHTTPS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *ostiary.Config) { c.URL, c.InsecureHTTP = "http://id.example.com", true })
	for _, path := range []string{"/passkeys/login/begin", "/passkeys/login/finish", "/register/passkey/begin"} {
		w.want(w.Browser(), "POST", path, map[string]fields{
			"/passkeys/login/begin": {}, "/passkeys/login/finish": {"ticket": "x", "credential": fields{}}, "/register/passkey/begin": {"email": ada},
		}[path], 503, "passkeys_unavailable")
	}
}
