package ui

// ceremony is a button that needs the page's script: it asks the API for a challenge, the browser for a passkey, and sends
// the answer. Without a script it stays hidden.
type ceremony struct {
	Kind     string // which of the script's
	Label    string
	Begin    string // addresses of the API
	Finish   string
	Next     string // where to go afterwards, which we have checked (R9)
	Back     string // the same, carried on to the second step; "" for the account page
	Second   string // page of the second step
	Sent     string // page that says that a mail is on its way, where sign-up does not tell which addresses are taken (R34)
	Token    string // of the sign-in that waits for it
	Main     bool   // it is the main button of the page
	Autofill bool   // offered among what the browser fills in
}

func (v *visit) ceremony(kind, label, begin, finish, done string) *ceremony {
	path := v.p.engine.Path
	next := v.returnTo()
	if next == "" {
		next = path(withDone("/account", done))
	}
	return &ceremony{
		Kind: kind, Label: label, Begin: path("/api/v1" + begin), Finish: path("/api/v1" + finish), Next: next, Back: v.returnTo(), Second: path("/mfa"),
	}
}

// signInPasskey is nil where there are no passkeys.
func (v *visit) signInPasskey() *ceremony {
	if !v.p.engine.Has("passkey.login.begin") {
		return nil
	}
	c := v.ceremony("login", "Sign in with a passkey", "/passkeys/login/begin", "/passkeys/login/finish", "")
	c.Autofill = true
	return c
}

func (v *visit) signUpPasskey() *ceremony {
	if !v.p.engine.Has("register.passkey.begin") {
		return nil
	}
	c := v.ceremony("signup", "Create account with a passkey", "/register/passkey/begin", "/register/passkey/finish", "welcome")
	c.Sent = v.p.engine.Path(withDone("/signup", "sent"))
	return c
}

func (v *visit) againPasskey() *ceremony {
	c := v.ceremony("again", "Use your passkey", "/reauthenticate/begin", "/reauthenticate", "proved")
	c.Main = true
	return c
}

func (v *visit) secondPasskey(token string) *ceremony {
	c := v.ceremony("second", "Use your passkey", "/login/mfa/begin", "/login/mfa", "")
	c.Token, c.Main = token, true
	return c
}

func (v *visit) addPasskey() *ceremony {
	c := v.ceremony("add", "Add a passkey", "/passkeys/register/begin", "/passkeys/register/finish", "")
	c.Next = v.p.engine.Path(withDone("/account", "passkey") + "#passkeys")
	return c
}
