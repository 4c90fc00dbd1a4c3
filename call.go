package ostiary

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/ostiary/ostiary/store"
)

// Call is one request without net/http. Only the engine makes one; methods pass it on, so that none can forget where a
// request came from or which browser sent it.
type Call struct {
	Source    netip.Addr
	UserAgent string
	RequestID string
	Principal *Principal // nil: nobody is signed in, or the route does not look
	// KnownDevice says that this browser completed a sign-in to the very account that the input names before (R39). It
	// proves nothing, but deserves a place before strangers where there is a queue (R38).
	KnownDevice bool

	auth      *Auth
	actor     string // for events, when nobody is signed in
	request   *http.Request
	cookies   []*http.Cookie
	presented *presented // the browser's own session, whether or not the route looked at it
	wants     Deliver
}

// Principal is who makes a request, and by what right.
type Principal struct {
	User      *User     // nil: a machine
	SessionID string    // "" when there is no session behind it
	ClientID  string    // store.FirstParty, or the client that the token was issued to
	Scopes    []string  // what a token of another client or an API key may do
	AMR       []string  // how the person was authenticated (RFC 8176)
	AuthAt    time.Time // when
	ACR       string    // "aal1" or "aal2"

	via     via
	session *liveSession
	person  *person
	grant   string // ID of the grant behind a token
}

// via is the kind of credential that was presented.
type via int

const (
	viaSession via = iota // the session cookie
	viaToken              // an access token
	viaOther              // what an Authenticator knows: an API key
)

// FirstParty says whether the request has the full right of its person: a session, or a token of our own client.
func (p *Principal) FirstParty() bool {
	return p != nil && p.via != viaOther && p.ClientID == store.FirstParty
}

type contextKey int

const (
	principalKey contextKey = iota
	requestIDKey
)

// PrincipalFrom returns who makes the request, or nil.
func PrincipalFrom(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey).(*Principal)
	return p
}

// UserFrom returns the signed-in person, or nil: nobody, or a machine. The value is shared by all requests of the person:
// read it, do not change it.
func UserFrom(ctx context.Context) *User {
	if p := PrincipalFrom(ctx); p != nil {
		return p.User
	}
	return nil
}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}
