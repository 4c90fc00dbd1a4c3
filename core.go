package ostiary

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/store"
)

// Names of routes that other packages refer to.
const (
	LoginPage  = "page.login"     // where a browser is sent that must sign in; a part of pages serves it
	jwksMaxAge = 10 * time.Minute // verifiers keep the key set so long; a new key is published longer before it signs
)

// coreRoutes are the engine's own: everything that touches a session or a token without proving who somebody is.
func (a *Auth) coreRoutes() []Route {
	return []Route{
		{
			Name: "refresh", Pattern: "POST /api/v1/refresh", Access: Public, Serve: JSON(a.serveRefresh),
			Doc: "Exchanges a refresh token for a new pair, delivered as it came.",
		},
		{
			Name: "logout", Pattern: "POST /api/v1/logout", Access: Public, Serve: JSON(a.serveLogout),
			Doc: "Ends the session that the request comes with, and clears all cookies.",
		},
		{
			Name: "logout.all", Pattern: "POST /api/v1/logout/all", Access: Public, Serve: JSON(a.serveLogoutAll),
			Doc: "Signs the person out everywhere, and clears all cookies.",
		},
		{
			Name: "login.mfa", Pattern: "POST /api/v1/login/mfa", Access: Public, Guess: true, Serve: JSON(a.serveSecond),
			Doc: "Completes a sign-in with a second factor.",
		},
		{
			Name: "login.mfa.begin", Pattern: "POST /api/v1/login/mfa/begin", Access: Public, Serve: JSON(a.serveChallenge),
			Doc: "Begins a second factor that asks before it is answered: a passkey.",
		},
		{
			Name: "reauthenticate", Pattern: "POST /api/v1/reauthenticate", Guess: true, Serve: JSON(a.serveReauthenticate),
			Doc: "Proves again that it is you, before something sensitive.",
		},
		{
			Name: "reauthenticate.begin", Pattern: "POST /api/v1/reauthenticate/begin", Serve: JSON(a.serveChallengeAgain),
			Doc: "Begins a proof that asks before it is answered: any of one's own passkeys.",
		},
		{
			Name: "oauth.jwks", Pattern: "GET /oauth/jwks", Access: Public, CrossSite: true, Serve: HTTP(a.serveJWKS),
			Doc: "The public keys that tokens are verified with (RFC 7517).",
		},
	}
}

type refreshInput struct {
	RefreshToken string `json:"refresh_token,omitempty"`
}

// RefreshAnswer is a new pair; what is delivered in cookies is left out.
type RefreshAnswer struct {
	AccessToken  string `json:"access_token,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"` // seconds
}

func (a *Auth) serveRefresh(ctx context.Context, c *Call, in *refreshInput) (RefreshAnswer, error) {
	raw := a.cookie(c.request, refreshCookie)
	inCookie := raw != ""
	switch {
	case inCookie && in.RefreshToken != "":
		return RefreshAnswer{}, errTwoCredentials
	case inCookie:
		// A cookie came along by itself: it must come from our own pages even if the caller also named a credential.
		if err := a.checkOrigin(c.request); err != nil {
			return RefreshAnswer{}, err
		}
	default:
		raw = in.RefreshToken
	}
	if raw == "" {
		return RefreshAnswer{}, errNotSignedIn
	}
	set, err := a.refresh(ctx, c, raw, inCookie)
	if err != nil {
		return RefreshAnswer{}, err
	}
	var out SignedInAnswer
	c.hand(set, &out)
	return RefreshAnswer{out.AccessToken, out.RefreshToken, out.TokenType, out.ExpiresIn}, nil
}

// caller finds out who wants to sign out; who does not know counts as nobody.
func (a *Auth) caller(ctx context.Context, c *Call) (*Principal, error) {
	p, err := a.authenticate(ctx, c.request, false)
	if err != nil {
		if problem(err).Status >= http.StatusInternalServerError {
			return nil, err
		}
		return nil, nil
	}
	if p.FirstParty() {
		return p, nil
	}
	return nil, nil
}

type logoutInput struct {
	RefreshToken string `json:"refresh_token,omitempty"` // for callers who hold nothing else
}

func (a *Auth) serveLogout(ctx context.Context, c *Call, in *logoutInput) (None, error) {
	c.clearCookie(sessionCookie, accessCookie, refreshCookie)
	p, err := a.caller(ctx, c)
	if err != nil {
		return None{}, err
	}
	c.Principal = p
	id := ""
	if p != nil {
		id = p.SessionID
	} else if id, err = a.presentedID(ctx, c, in.RefreshToken); err != nil {
		return None{}, err
	}
	if id == "" {
		return None{}, nil
	}
	e := &Engine{Kit: a.kit("logout")}
	return None{}, ignoreNotFound(e.EndSession(ctx, c, id))
}

// presentedID is the session that a caller without a valid session or access token still shows: by its refresh token.
func (a *Auth) presentedID(ctx context.Context, c *Call, refresh string) (string, error) {
	var s *store.Session
	var err error
	if refresh != "" {
		s, err = a.sessionOfRefresh(ctx, refresh)
	} else {
		s, err = a.presentedSession(ctx, c)
	}
	if err != nil || s == nil {
		return "", err
	}
	return s.ID, nil
}

func (a *Auth) serveLogoutAll(ctx context.Context, c *Call, in *logoutInput) (None, error) {
	c.clearCookie(sessionCookie, accessCookie, refreshCookie)
	p, err := a.caller(ctx, c)
	if err != nil {
		return None{}, err
	}
	c.Principal = p
	e := &Engine{Kit: a.kit("logout")}
	if p != nil && p.User != nil {
		return None{}, ignoreNotFound(e.EndUser(ctx, c, p.User.ID))
	}
	id, err := a.presentedID(ctx, c, in.RefreshToken)
	if err != nil || id == "" {
		return None{}, err
	}
	s, err := e.Session(ctx, id) // one that is over has no say
	if err != nil {
		return None{}, ignoreNotFound(err)
	}
	return None{}, ignoreNotFound(e.EndUser(ctx, c, s.UserID))
}

type secondInput struct {
	MFAToken   string          `json:"mfa_token"`
	Method     string          `json:"method"`
	Code       json.RawMessage `json:"code,omitempty"`
	Credential json.RawMessage `json:"credential,omitempty"`
	// TrustDevice asks not to be asked for a second factor in this browser again, where the server allows that.
	TrustDevice bool `json:"trust_device,omitempty"`
}

func (a *Auth) serveSecond(ctx context.Context, c *Call, in *secondInput) (*Outcome, error) {
	response := in.Code
	if len(in.Credential) > 0 {
		response = in.Credential
	}
	out, err := a.second(ctx, c, in.MFAToken, in.Method, response)
	if err != nil || out.Pending != nil || !in.TrustDevice {
		return out, err
	}
	if err := a.trust(ctx, c, out.User.ID); err != nil {
		a.log.WarnContext(ctx, "a device could not be trusted; its owner will be asked again", "error", err)
	}
	return out, nil
}

type challengeInput struct {
	MFAToken string `json:"mfa_token"`
	Method   string `json:"method"`
}

func (a *Auth) serveChallenge(ctx context.Context, c *Call, in *challengeInput) (any, error) {
	return a.challenge(ctx, c, in.MFAToken, in.Method)
}

type challengeAgainInput struct {
	Method string `json:"method"`
}

func (a *Auth) serveChallengeAgain(ctx context.Context, c *Call, in *challengeAgainInput) (any, error) {
	if c.Principal.User == nil || c.Principal.SessionID == "" {
		return nil, errForbidden
	}
	asks, ok := a.verifiers[in.Method].(Challenger)
	if !ok {
		return nil, errInvalidRequest.At("body.method", "asks nothing; send the proof")
	}
	return asks.Challenge(ctx, c, c.Principal.User.ID)
}

type reauthenticateInput struct {
	Method     string          `json:"method,omitempty"`
	Password   json.RawMessage `json:"password,omitempty"`
	Code       json.RawMessage `json:"code,omitempty"`
	Ticket     json.RawMessage `json:"ticket,omitempty"`
	Credential json.RawMessage `json:"credential,omitempty"`
}

func (a *Auth) serveReauthenticate(ctx context.Context, c *Call, in *reauthenticateInput) (SignedInAnswer, error) {
	if c.Principal.User == nil || c.Principal.SessionID == "" {
		return SignedInAnswer{}, errForbidden
	}
	method, response := in.Method, in.Code
	switch fields := map[string]json.RawMessage{"password": in.Password, "credential": in.Credential}; {
	case method == "":
		method, response = a.responseOf(fields)
	case len(response) == 0 && a.verifiers[method] != nil:
		response = fields[a.verifiers[method].Field()]
	}
	return a.reauthenticate(ctx, c, method, response)
}

func (a *Auth) serveJWKS(w http.ResponseWriter, _ *http.Request, _ *Call) error {
	h := w.Header()
	h.Set("Content-Type", "application/jwk-set+json")
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(jwksMaxAge/time.Second)))
	h.Set("Access-Control-Allow-Origin", "*")
	_, err := w.Write(a.ring.JWKS(a.now()))
	return err
}
