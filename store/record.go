package store

import (
	"net/netip"
	"time"
)

// Status says whether a person may sign in.
type Status string

// The statuses of a user.
const (
	Active   Status = "active"
	Disabled Status = "disabled"
)

// User is a person.
type User struct {
	ID            string
	Email         string // as the person wrote it; "" for an account without an address
	EmailNormal   string // unique unless empty: NFKC case-folded local part, IDNA domain
	EmailVerified bool
	Name          string
	Picture       string // https URL
	Locale        string // BCP 47
	Roles         []string
	Status        Status
	Epoch         int64 // sessions and grants of an earlier epoch are dead
	Version       int64
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// UserQuery selects users. The zero value selects the first page of everybody.
type UserQuery struct {
	After  string // ID; "" from the start
	Limit  int    // 1 to 1,000; anything else means 1,000
	Search string // substring of EmailNormal or, without regard to ASCII case, of Name; "" for all
	Role   string // exact name; "" for all
	Status Status // "" for all
}

// Credential is one thing that a person can prove. A credential with Factor set makes sign-in demand a second factor even
// if its method is no longer configured: fail closed.
type Credential struct {
	ID        string
	UserID    string
	Method    string // "password", "totp", "social:google"
	Lookup    string // unique within Method
	Factor    bool
	Data      []byte // sealed by the engine, bound to this row
	Version   int64
	CreatedAt time.Time
}

// Delivery says how credentials reach the caller, and sticks to a grant.
type Delivery string

// The four deliveries. DeliverSession makes a cookie session without tokens and so never appears on a grant.
const (
	DeliverSession Delivery = "session"
	DeliverSplit   Delivery = "split"
	DeliverCookies Delivery = "cookies"
	DeliverBody    Delivery = "body"
)

// Grant is what every token of a person or client hangs on, and its refresh family, in one row of constant size.
type Grant struct {
	ID         string
	Handle     [16]byte // random; the "gid" claim, and named in the revocation log
	UserID     string   // "" for a machine
	SessionID  string   // "" when the grant does not end with a session
	ClientID   string   // FirstParty for our own API
	Scope      string   // space-separated; for first-party grants the audiences and claims asked for
	Delivery   Delivery
	Epoch      int64 // of the person, when the grant began
	Generation int64 // of the newest refresh token; starts at 1
	Recovered  int64 // the last generation at which a late repeat was answered; 0: never
	RotatedAt  time.Time
	ExpiresAt  time.Time // of the newest refresh token
	EndsAt     time.Time // the grant cannot be prolonged beyond
	Binding    []byte    // hash of the key or client authentication that refreshing requires; nil: unbound
	CreatedAt  time.Time
}

// FirstParty is the client_id of tokens that our own JSON API issues.
const FirstParty = "ostiary"

// Rotation is the conditional write of a refresh.
type Rotation struct {
	ID        string
	From      int64 // the generation that was presented; the grant moves to From+1
	At        time.Time
	ExpiresAt time.Time
}

// GrantQuery selects grants; the fields that are set must all match. One of ID, UserID, SessionID, ClientID and Expired
// must be set: a query without any is a fault, so that a forgotten field cannot end everything.
type GrantQuery struct {
	ID, UserID, SessionID, ClientID string
	Expired                         time.Time // ExpiresAt before; zero: any
	Except                          string    // not the grants of this session
	Limit                           int       // 0: all
}

// Ticket is a short-lived or one-time secret.
type Ticket struct {
	Kind      string
	Hash      [32]byte // HMAC under a key derived from the master key
	UserID    string   // "" when it belongs to nobody yet
	Data      []byte   // sealed
	Attempts  int
	ExpiresAt time.Time
}

// Kind is the kind of a log entry.
type Kind uint8

// The kinds of log entries. Token, Grant, Client and Key are published; Session and Changed are for our own nodes.
const (
	KindToken   Kind = 1 // one access token (jti)
	KindGrant   Kind = 2 // everything on a grant (gid)
	KindClient  Kind = 3
	KindKey     Kind = 4 // a signing key
	KindSession Kind = 5
	KindChanged Kind = 6 // a person's record or epoch changed: drop what was cached of it
	KindPolicy  Kind = 7 // roles or settings changed
)

// Entry is one line of the revocation log.
type Entry struct {
	Seq       int64
	Kind      Kind
	Hash      [16]byte // SHA-256(incarnation ‖ kind ‖ handle)[:16]
	ExpiresAt time.Time
}

// Position is a place in one incarnation of the log.
type Position struct {
	Incarnation [16]byte
	Seq         int64
}

// Event is something that happened. It never holds a secret.
type Event struct {
	Seq       int64
	ID        string
	Kind      string // "session.created"
	At        time.Time
	Actor     string // who did it: a user ID, "cli", "system" or ""
	Subject   string // whom it concerns: a user ID or ""
	SessionID string
	ClientID  string
	Source    netip.Addr
	RequestID string
	Detail    map[string]string
}

// EventQuery selects events, newest first.
type EventQuery struct {
	Before  int64  // Seq; 0: from the newest
	Limit   int    // 1 to 1,000; anything else means 1,000
	Subject string // "" for all
	Kind    string // "" for all; a trailing "." selects by prefix ("session.")
}

// Message is a mail that waits to be sent.
type Message struct {
	ID        string
	Body      []byte // sealed
	Attempts  int
	At        time.Time // due from
	ExpiresAt time.Time // not sent later than
}

// Record is an entry of the registry.
type Record struct {
	Kind    string
	ID      string
	Data    []byte
	Version int64
}

// Session is a signed-in browser or device.
type Session struct {
	ID         string
	UserID     string
	Hash       [32]byte  // SHA-256 of the cookie's secret; random when there is no cookie
	Epoch      int64     // of the person, when it began
	AMR        []string  // RFC 8176
	AuthAt     time.Time // the last proof, for max_age and Fresh
	CreatedAt  time.Time
	LastSeenAt time.Time
	IdleAt     time.Time // ends when nothing happens before
	ExpiresAt  time.Time // ends in any case
	Source     netip.Addr
	UserAgent  string
}

// SessionQuery selects sessions; the fields that are set must all match.
type SessionQuery struct {
	UserID  string
	After   string    // ID; "" from the start
	Expired time.Time // IdleAt or ExpiresAt before; zero: any
	Limit   int       // 0: all; with Expired and without After, any so many of those that match
}
