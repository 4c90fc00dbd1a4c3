package passkey_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary/method/passkey"
	"github.com/ostiary/ostiary/ostiarytest"
)

var b64 = base64.RawURLEncoding

// edit changes a credential as it is sent: f is given its response.
func edit(t *testing.T, credential json.RawMessage, f func(response map[string]string)) json.RawMessage {
	t.Helper()
	var c struct {
		Type     string            `json:"type"`
		ID       string            `json:"id"`
		RawID    string            `json:"rawId"`
		Response map[string]string `json:"response"`
	}
	if err := json.Unmarshal(credential, &c); err != nil {
		t.Fatal(err)
	}
	f(c.Response)
	out, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// flip changes a bit of a member in base64url.
func flip(at int) func(string) string {
	return func(s string) string {
		raw, _ := b64.DecodeString(s)
		raw[(at+len(raw))%len(raw)] ^= 1
		return b64.EncodeToString(raw)
	}
}

func changed(member string, f func(string) string) func(map[string]string) {
	return func(r map[string]string) { r[member] = f(r[member]) }
}

func TestForgedAssertions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device, stranger := &ostiarytest.Authenticator{}, &ostiarytest.Authenticator{}
	w.SignUpWithPasskey(t, ada, device)
	w.SignUpWithPasskey(t, bob, stranger)
	handle := func(a *ostiarytest.Authenticator) string {
		_, c := w.answer(a)
		var s string
		edit(t, c, func(r map[string]string) { s = r["userHandle"] })
		return s
	}
	bobs := handle(stranger)
	asCreate := func(s string) string {
		raw, _ := b64.DecodeString(s)
		return b64.EncodeToString(bytes.Replace(raw, []byte("webauthn.get"), []byte("webauthn.create"), 1))
	}
	for name, f := range map[string]func(map[string]string){
		"signature":             changed("signature", flip(-1)),
		"user handle":           changed("userHandle", func(string) string { return bobs }),
		"no user handle":        changed("userHandle", func(string) string { return "" }),
		"relying party":         changed("authenticatorData", flip(0)),
		"flags":                 changed("authenticatorData", flip(32)),
		"counter":               changed("authenticatorData", flip(36)),
		"type":                  changed("clientDataJSON", asCreate),
		"client data, one byte": changed("clientDataJSON", func(s string) string { raw, _ := b64.DecodeString(s); return b64.EncodeToString(append(raw, ' ')) }),
	} {
		t.Log(name)
		ticket, credential := w.answer(device)
		w.finish(w.Browser(), "/passkeys/login/finish", ticket, edit(t, credential, f), 401, "invalid_credentials")
		w.finish(w.Browser(), "/passkeys/login/finish", ticket, credential, 200, "") // the forgery cost the owner nothing
	}
}

func TestSomebodyElsesCredentialID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device, stranger := &ostiarytest.Authenticator{}, &ostiarytest.Authenticator{}
	w.SignUpWithPasskey(t, ada, device)
	w.SignUpWithPasskey(t, bob, stranger)
	_, victim := w.answer(device)
	ticket, own := w.answer(stranger)
	var a, b map[string]any
	if json.Unmarshal(victim, &a) != nil || json.Unmarshal(own, &b) != nil {
		t.Fatal("not JSON")
	}
	b["id"], b["rawId"] = a["id"], a["rawId"]
	w.want(w.Browser(), "POST", "/passkeys/login/finish", fields{"ticket": ticket, "credential": b}, 401, "invalid_credentials")
	b["id"], b["rawId"] = "AAAA", "AAAA"
	w.want(w.Browser(), "POST", "/passkeys/login/finish", fields{"ticket": ticket, "credential": b}, 401, "invalid_credentials")
}

func TestWrongOrigin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{}
	c := w.SignUpWithPasskey(t, ada, device)
	for _, origin := range []string{"https://localhost", "http://localhost:1", "https://evil.example", w.Origin + ".evil.example", "null", ""} {
		b := w.begin(w.Browser(), "/passkeys/login/begin", nil)
		w.finish(w.Browser(), "/passkeys/login/finish", b.Ticket, device.Get(t, origin, b.PublicKey), 401, "invalid_credentials")
		r := w.begin(c, "/passkeys/register/begin", nil)
		w.finish(c, "/passkeys/register/finish", r.Ticket, new(ostiarytest.Authenticator).Create(t, origin, r.PublicKey), 400, "invalid_request")
	}
}

func TestForgedRegistrations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.SignUp(t, ada)
	attestation := func(from, to []byte) func(map[string]string) {
		return changed("attestationObject", func(s string) string {
			raw, _ := b64.DecodeString(s)
			if !bytes.Contains(raw, from) {
				t.Fatalf("no %x in %x", from, raw)
			}
			return b64.EncodeToString(bytes.Replace(raw, from, to, 1))
		})
	}
	// A COSE key begins with kty: EC2, alg: ES256 (RFC 9052 §7); -9 is an algorithm that was not offered.
	for name, f := range map[string]func(map[string]string){
		"algorithm that was not offered": attestation([]byte{1, 2, 3, 0x26, 0x20, 1}, []byte{1, 2, 3, 0x28, 0x20, 1}),
		"attestation signature":          changed("attestationObject", flip(80)),
		"type": changed("clientDataJSON", func(s string) string {
			raw, _ := b64.DecodeString(s)
			return b64.EncodeToString(bytes.Replace(raw, []byte("webauthn.create"), []byte("webauthn.get"), 1))
		}),
		"no CBOR": changed("attestationObject", func(string) string { return "AAAA" }),
	} {
		b := w.begin(c, "/passkeys/register/begin", nil)
		credential := new(ostiarytest.Authenticator).Create(t, w.Origin, b.PublicKey)
		t.Log(name)
		w.finish(c, "/passkeys/register/finish", b.Ticket, edit(t, credential, f), 400, "invalid_request")
	}
	if len(w.passkeys(c)) != 0 {
		t.Error("a forgery was kept")
	}
}

func TestChallengesServeOnePurpose(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{}
	c := w.SignUpWithPasskey(t, ada, device)
	other := w.SignUp(t, bob)

	b := w.begin(c, "/passkeys/register/begin", nil)
	made := new(ostiarytest.Authenticator).Create(t, w.Origin, b.PublicKey)
	w.finish(other, "/passkeys/register/finish", b.Ticket, made, 400, "invalid_ticket")      // another person
	w.finish(w.Browser(), "/register/passkey/finish", b.Ticket, made, 400, "invalid_ticket") // another purpose
	ask, err := json.Marshal(fields{"challenge": b.Ticket, "rpId": "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	w.finish(w.Browser(), "/passkeys/login/finish", b.Ticket, device.Get(t, w.Origin, ask), 400, "invalid_ticket")

	s := w.begin(w.Browser(), "/register/passkey/begin", fields{"email": "eve@example.com"})
	w.finish(c, "/passkeys/register/finish", s.Ticket, new(ostiarytest.Authenticator).Create(t, w.Origin, s.PublicKey), 400, "invalid_ticket")

	l := w.begin(w.Browser(), "/passkeys/login/begin", nil)
	l2 := w.begin(w.Browser(), "/passkeys/login/begin", nil)
	w.finish(w.Browser(), "/passkeys/login/finish", l2.Ticket, device.Get(t, w.Origin, l.PublicKey), 401, "invalid_credentials") // another challenge
	w.finish(w.Browser(), "/passkeys/login/finish", "nonsense", device.Get(t, w.Origin, l.PublicKey), 400, "invalid_ticket")
	w.finish(w.Browser(), "/passkeys/login/finish", strings.Repeat("x", 5000), device.Get(t, w.Origin, l.PublicKey), 400, "invalid_ticket")
}

func TestChallengesExpireAndAreUsedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{}
	c := w.SignUpWithPasskey(t, ada, device)
	ticket, credential := w.answer(device)
	w.finish(w.Browser(), "/passkeys/login/finish", ticket, credential, 200, "")
	w.finish(w.Browser(), "/passkeys/login/finish", ticket, credential, 400, "invalid_ticket") // replayed
	w.want(c, "POST", "/reauthenticate", fields{"credential": credential}, 400, "invalid_ticket")

	ticket, credential = w.answer(device)
	b := w.begin(c, "/passkeys/register/begin", nil)
	w.Clock.Advance(5 * time.Minute)
	w.finish(w.Browser(), "/passkeys/login/finish", ticket, credential, 400, "invalid_ticket")
	w.finish(c, "/passkeys/register/finish", b.Ticket, new(ostiarytest.Authenticator).Create(t, w.Origin, b.PublicKey), 400, "invalid_ticket")
}

func TestSecondFactorOfSomebodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device, stranger := &ostiarytest.Authenticator{}, &ostiarytest.Authenticator{}
	c := w.SignUp(t, ada)
	w.want(c, "PATCH", "/passkeys/"+w.AddPasskey(t, c, device), fields{"factor": true}, 200, "")
	w.SignUpWithPasskey(t, bob, stranger)
	var pending struct {
		MFAToken string `json:"mfa_token"`
	}
	login := func() {
		w.want(w.Browser(), "POST", "/login", fields{"email": ada, "password": ostiarytest.Password}, 200, "").JSON(t, &pending)
	}
	mfa := func(credential json.RawMessage, status int, code string) {
		t.Helper()
		w.want(w.Browser(), "POST", "/login/mfa", fields{"mfa_token": pending.MFAToken, "method": "passkey", "credential": credential}, status, code)
	}
	login()
	_, credential := w.answer(stranger)
	mfa(credential, 400, "invalid_ticket") // a challenge of a sign-in
	_, credential = w.answer(device)
	mfa(credential, 400, "invalid_ticket")
	b := w.begin(w.Browser(), "/login/mfa/begin", fields{"mfa_token": pending.MFAToken, "method": "passkey"})
	w.finish(w.Browser(), "/passkeys/login/finish", challenge(t, b.PublicKey), device.Get(t, w.Origin, b.PublicKey), 400, "invalid_ticket")
	var open map[string]any
	if err := json.Unmarshal(b.PublicKey, &open); err != nil {
		t.Fatal(err)
	}
	delete(open, "allowCredentials")
	whoever, err := json.Marshal(open)
	if err != nil {
		t.Fatal(err)
	}
	mfa(stranger.Get(t, w.Origin, whoever), 401, "mfa_failed")
	good := device.Get(t, w.Origin, b.PublicKey)
	mfa(good, 200, "")
	login()
	mfa(good, 400, "invalid_ticket") // in another sign-in
}

func challenge(t *testing.T, publicKey json.RawMessage) string {
	t.Helper()
	var o struct{ Challenge string }
	if err := json.Unmarshal(publicKey, &o); err != nil {
		t.Fatal(err)
	}
	return o.Challenge
}

func TestReauthenticateWithSomebodyElsesPasskey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	stranger := &ostiarytest.Authenticator{}
	c := w.SignUp(t, ada)
	w.SignUpWithPasskey(t, bob, stranger)
	ticket, credential := w.answer(stranger)
	w.want(c, "POST", "/reauthenticate", fields{"ticket": ticket, "credential": credential}, 401, "mfa_failed")
}

func TestClonedPasskey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{Counts: true}
	c := w.SignUpWithPasskey(t, ada, device)
	copied := device.Clone()
	w.SignInWithPasskey(t, device)
	w.SignInWithPasskey(t, device)
	ticket, credential := w.answer(copied)
	w.finish(w.Browser(), "/passkeys/login/finish", ticket, credential, 401, "invalid_credentials")
	w.finish(w.Browser(), "/passkeys/login/finish", ticket, credential, 400, "invalid_ticket")
	if !w.happened(c, "passkey.clone_suspected") {
		t.Error("nothing was recorded")
	}
	if m := w.Mail.Next(t, ada); !strings.Contains(m.Subject, "refused") {
		t.Errorf("got %q", m.Subject)
	}
	w.SignInWithPasskey(t, device) // the owner's own goes on
}

func TestUserVerificationRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with(t, passkey.Config{RequireVerification: true}))
	device := &ostiarytest.Authenticator{}
	c := w.SignUpWithPasskey(t, ada, device)
	device.Unverified = true
	ticket, credential := w.answer(device)
	w.finish(w.Browser(), "/passkeys/login/finish", ticket, credential, 401, "invalid_credentials")
	b := w.begin(c, "/passkeys/register/begin", nil)
	w.finish(c, "/passkeys/register/finish", b.Ticket, (&ostiarytest.Authenticator{Unverified: true}).Create(t, w.Origin, b.PublicKey), 400, "invalid_request")
}

func TestFactorWithoutAnotherStepIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{Unverified: true}
	b := w.begin(w.Browser(), "/register/passkey/begin", fields{"email": ada})
	c := w.Browser()
	w.finish(c, "/register/passkey/finish", b.Ticket, device.Create(t, w.Origin, b.PublicKey), 201, "")
	w.want(c, "PATCH", "/passkeys/"+w.passkeys(c)[0].ID, fields{"factor": true}, 400, "invalid_request")
}

func TestOneAccountForEachPasskey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{}
	w.AddPasskey(t, w.SignUp(t, ada), device)
	device.Again = true // the same credential id, for somebody else
	c := w.SignUp(t, bob)
	b := w.begin(c, "/passkeys/register/begin", nil)
	w.finish(c, "/passkeys/register/finish", b.Ticket, device.Create(t, w.Origin, b.PublicKey), 409, "conflict")
}

func TestOversizedCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{}
	w.SignUpWithPasskey(t, ada, device)
	ticket, credential := w.answer(device)
	long := edit(t, credential, changed("clientDataJSON", func(s string) string { return s + strings.Repeat("A", 20<<10) }))
	w.finish(w.Browser(), "/passkeys/login/finish", ticket, long, 400, "invalid_request")
	huge := edit(t, credential, changed("clientDataJSON", func(s string) string { return s + strings.Repeat("A", 70<<10) }))
	w.finish(w.Browser(), "/passkeys/login/finish", ticket, huge, 413, "payload_too_large")
}

// together runs f n times at the same moment and counts the answers of one status.
func together(n, status int, f func(i int) int) int {
	var all sync.WaitGroup
	var won atomic.Int64
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			if f(i) == status {
				won.Add(1)
			}
		})
	}
	close(start)
	all.Wait()
	return int(won.Load())
}

func TestOneWinnerForEachTicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	device := &ostiarytest.Authenticator{}
	c := w.SignUpWithPasskey(t, ada, device)
	race := func(c *http.Client, path, ticket string, credential json.RawMessage, status int) {
		t.Helper()
		n := together(16, status, func(int) int {
			return w.Call(t, c, "POST", "/api/v1"+path, fields{"ticket": ticket, "credential": credential}).Status
		})
		if n != 1 {
			t.Errorf("%s: %d winners", path, n)
		}
	}
	ticket, credential := w.answer(device)
	race(&http.Client{Transport: w.Browser().Transport}, "/passkeys/login/finish", ticket, credential, 200)
	b := w.begin(c, "/passkeys/register/begin", nil)
	race(c, "/passkeys/register/finish", b.Ticket, new(ostiarytest.Authenticator).Create(t, w.Origin, b.PublicKey), 201)
	s := w.begin(w.Browser(), "/register/passkey/begin", fields{"email": bob})
	race(&http.Client{Transport: w.Browser().Transport}, "/register/passkey/finish", s.Ticket, new(ostiarytest.Authenticator).Create(t, w.Origin, s.PublicKey), 201)
}

// The signature over the wrong relying party is right here: only the comparison refuses it.
func TestWrongRelyingParty(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.SignUp(t, ada)
	b := w.begin(c, "/passkeys/register/begin", nil)
	ask := json.RawMessage(bytes.Replace(b.PublicKey, []byte(`"id":"localhost"`), []byte(`"id":"evil.example"`), 1))
	if bytes.Equal(ask, b.PublicKey) {
		t.Fatalf("no relying party in %s", ask)
	}
	w.finish(c, "/passkeys/register/finish", b.Ticket, new(ostiarytest.Authenticator).Create(t, w.Origin, ask), 400, "invalid_request")
}
