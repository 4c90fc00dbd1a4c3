package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/memory"
)

// town is an engine in this process on a clock that jumps, for attacks that take days.
type town struct {
	auth  *ostiary.Auth
	store *memory.Store
	latch *latch
	clock atomic.Int64 // nanoseconds since 1970
}

func newTown() (*town, error) {
	key, err := ostiary.NewKey()
	if err != nil {
		return nil, err
	}
	t := &town{store: memory.New(), latch: &latch{looked: map[string]int64{}}}
	t.clock.Store(time.Now().UnixNano())
	t.auth, err = ostiary.New(context.Background(), ostiary.Config{
		URL: "http://localhost:1", Store: t.store, Key: key, Methods: []ostiary.Method{t.latch}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now: func() time.Time { return time.Unix(0, t.clock.Load()) },
	})
	return t, err
}

func (t *town) advance(d time.Duration) { t.clock.Add(int64(d)) }

// moveIn creates people.
func (t *town) moveIn(n int, address func(i int) string) error {
	engine, c := t.auth.Engine(ostiary.ActorCLI)
	ctx := context.Background()
	return engine.Administer(ctx, c, func(tx *ostiary.AdminTx) error {
		for i := range n {
			if _, err := tx.CreateUser(ctx, ostiary.NewUser{Email: address(i), EmailVerified: true}, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// noticed says whether a spray is on record; the engine records it in the background.
func (t *town) noticed() bool {
	for range 100 {
		list, err := t.store.Events().List(context.Background(), store.EventQuery{Kind: "attack.spray", Limit: 1})
		if err == nil && len(list) > 0 {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// visitor is one source, with the device cookie of a browser.
type visitor struct {
	town   *town
	source netip.Addr
	device *http.Cookie
}

func (v *visitor) enters(email string) int  { return v.tries(email, "right") }
func (v *visitor) guesses(email string) int { return v.tries(email, "wrong") }

func (v *visitor) tries(email, secret string) int {
	r := httptest.NewRequest("POST", "http://localhost:1/latch", strings.NewReader(fmt.Sprintf(`{"email":%q,"secret":%q}`, email, secret)))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = netip.AddrPortFrom(v.source, 4711).String()
	if v.device != nil {
		r.AddCookie(v.device)
	}
	rec := httptest.NewRecorder()
	v.town.auth.ServeHTTP(rec, r)
	if rec.Code == http.StatusOK {
		for _, k := range rec.Result().Cookies() {
			if k.Name == "device" {
				v.device = k
			}
		}
	}
	return rec.Code
}

// latch is a method whose secret costs nothing to compare. It counts the wrong ones. Only one visitor comes at a time.
type latch struct {
	kit    *ostiary.Kit
	looked map[string]int64
}

type latchInput struct {
	ostiary.Deliver
	Email  string `json:"email"`
	Secret string `json:"secret"`
}

func (in *latchInput) AccountKey() string { return in.Email }

func (*latch) Name() string { return "latch" }

func (l *latch) Routes(k *ostiary.Kit) ([]ostiary.Route, error) {
	l.kit = k
	return []ostiary.Route{{Name: "latch", Pattern: "POST /latch", Access: ostiary.Public, Guess: true, Serve: ostiary.Prove(l.enter)}}, nil
}

func (l *latch) enter(ctx context.Context, _ *ostiary.Call, in *latchInput) (ostiary.Proof, error) {
	if in.Secret != "right" {
		l.looked[in.Email]++
		return ostiary.Proof{}, ostiary.Fail(http.StatusUnauthorized, "invalid_credentials", "no")
	}
	u, err := l.kit.UserByEmail(ctx, in.Email)
	return ostiary.Proof{UserID: u.ID, AMR: []string{"pwd"}}, err
}

func (l *latch) guesses(email string) int64 { return l.looked[email] }

func (l *latch) all() (n int64) {
	for _, k := range l.looked {
		n += k
	}
	return n
}

func (l *latch) worst() (n int64) {
	for _, k := range l.looked {
		n = max(n, k)
	}
	return n
}
