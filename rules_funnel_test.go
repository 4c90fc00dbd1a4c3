package ostiary_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// nod is a second factor: the right answer is "yes". A person enrols by asking for it.
type nod struct{ kit *ostiary.Kit }

func (n *nod) Name() string  { return "nod" }
func (n *nod) Field() string { return "nod" }
func (*nod) Guessable() bool { return true }

func (n *nod) Routes(kit *ostiary.Kit) ([]ostiary.Route, error) {
	n.kit = kit
	return []ostiary.Route{{Name: "nod.enrol", Pattern: "POST /api/v1/nod", Serve: ostiary.JSON(n.enrol)}}, nil
}

func (n *nod) enrol(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.None, error) {
	return ostiary.None{}, n.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		_, err := t.Credentials.Create(ctx, ostiary.Credential{UserID: c.Principal.User.ID, Factor: true})
		return err
	})
}

func (n *nod) Verify(_ context.Context, _ *ostiary.Call, userID string, response json.RawMessage) (ostiary.Proof, error) {
	if string(response) != `"yes"` {
		return ostiary.Proof{}, ostiary.Fail(http.StatusUnauthorized, "mfa_failed", "no")
	}
	return ostiary.Proof{UserID: userID, AMR: []string{"nod"}}, nil
}

func withFactor(cfg *ostiary.Config) { cfg.Methods = append(cfg.Methods, &nod{}) }

func TestR1_NothingExistsBeforeTheSecondFactor(t *testing.T) {
	t.Parallel()
	for _, delivery := range []store.Delivery{"session", "split", "cookies", "body"} {
		t.Run(string(delivery), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, withFactor)
			first := w.client()
			first.knock("ada@example.com", "")
			first.want(first.do("POST", "/api/v1/nod", nil), 204, "")

			c := w.client()
			in := c.knock("ada@example.com", delivery)
			ticket, _ := in.body["mfa_token"].(string)
			if in.body["mfa_required"] != true || ticket == "" || in.body["user"] != nil || in.body["access_token"] != nil || len(in.Cookies()) != 0 {
				t.Fatalf("got %s with cookies %v", in.raw, in.Cookies())
			}
			c.want(c.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
			c.want(c.do("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": ticket, "method": "nod", "code": "no"}), 401, "mfa_failed")
			c.want(c.do("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": ticket, "method": "knock", "code": "yes"}), 400, "invalid_request")
			done := c.want(c.do("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": ticket, "method": "nod", "code": "yes"}), 200, "")
			if access, ok := done.body["access_token"].(string); ok {
				c.header.Set("Authorization", "Bearer "+access)
			}
			who := c.want(c.do("GET", "/api/v1/who", nil), 200, "")
			if who.body["mfa"] != true {
				t.Fatalf("got %s", who.raw)
			}
			c.want(c.do("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": ticket, "method": "nod", "code": "yes"}), 400, "invalid_ticket")
		})
	}
}

func TestR1_FactorOfAMissingMethodFailsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withFactor)
	c := w.client()
	c.knock("ada@example.com", "")
	c.want(c.do("POST", "/api/v1/nod", nil), 204, "")
	bare, err := ostiary.New(t.Context(), ostiary.Config{URL: w.auth.Issuer(), Store: w.store, Key: mustKey(t), Methods: []ostiary.Method{&knock{}}})
	if err == nil {
		// Another master key cannot open the signing keys: an engine that starts anyway would mint worthless tokens.
		bare.Close()
		t.Fatal("an engine with another master key must not start on this store")
	}
}

func mustKey(t *testing.T) ostiary.Key {
	t.Helper()
	key, err := ostiary.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestR29_PendingTicketDiesWithTheFifthFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withFactor)
	c := w.client()
	c.knock("ada@example.com", "")
	c.want(c.do("POST", "/api/v1/nod", nil), 204, "")
	ticket := w.client().knock("ada@example.com", "").body["mfa_token"]
	for range 5 {
		c.want(c.do("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": ticket, "method": "nod", "code": "no"}), 401, "mfa_failed")
	}
	c.want(c.do("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": ticket, "method": "nod", "code": "yes"}), 400, "invalid_ticket")
}

func TestR29_PendingTicketHasOneWinner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withFactor)
	c := w.client()
	c.knock("ada@example.com", "")
	c.want(c.do("POST", "/api/v1/nod", nil), 204, "")
	ticket := w.client().knock("ada@example.com", "").body["mfa_token"]
	var wins, losses int
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			r := w.client().do("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": ticket, "method": "nod", "code": "yes"})
			mu.Lock()
			defer mu.Unlock()
			if r.StatusCode == 200 {
				wins++
			} else if r.code() == "invalid_ticket" {
				losses++
			}
		})
	}
	group.Wait()
	if wins != 1 || losses != 4 {
		t.Fatalf("%d winners and %d losers, want 1 and 4", wins, losses)
	}
}

func TestR1_PendingTicketOfAnEarlierEpochIsWorthless(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withFactor)
	c := w.client()
	c.knock("ada@example.com", "")
	c.want(c.do("POST", "/api/v1/nod", nil), 204, "")
	ticket := w.client().knock("ada@example.com", "").body["mfa_token"]
	c.want(c.do("POST", "/api/v1/knock/change", nil), 204, "")
	c.want(c.do("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": ticket, "method": "nod", "code": "yes"}), 400, "invalid_ticket")
}

func TestR1_DisabledAccountGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	session, tokens := w.client(), w.client()
	id := session.knock("ada@example.com", "").body["user"].(map[string]any)["id"].(string)
	pair := tokens.knock("ada@example.com", "body").body
	tokens.header.Set("Authorization", "Bearer "+pair["access_token"].(string))
	tokens.want(tokens.do("GET", "/api/v1/who", nil), 200, "")
	w.administer(func(ctx context.Context, tx *ostiary.AdminTx) error { return tx.SetStatus(ctx, id, store.Disabled) })
	session.want(session.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
	tokens.want(tokens.do("GET", "/api/v1/who", nil), 401, "token_revoked")
	tokens.header.Del("Authorization")
	tokens.want(tokens.do("POST", "/api/v1/refresh", map[string]any{"refresh_token": pair["refresh_token"]}), 401, "token_revoked")
	again := w.client()
	again.want(again.do("POST", "/api/v1/knock", map[string]any{"email": "ada@example.com"}), 403, "account_disabled")
}

// administer does what the command line would do.
func (w *world) administer(fn func(ctx context.Context, tx *ostiary.AdminTx) error) {
	w.Helper()
	if err := w.tryAdminister(fn); err != nil {
		w.Fatal(err)
	}
}

func (w *world) tryAdminister(fn func(ctx context.Context, tx *ostiary.AdminTx) error) error {
	engine, call := w.auth.Engine(ostiary.ActorCLI)
	return engine.Administer(context.Background(), call, func(tx *ostiary.AdminTx) error { return fn(context.Background(), tx) })
}

func TestR31_TheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var ids []string
	w.administer(func(ctx context.Context, tx *ostiary.AdminTx) error {
		for i := range 32 {
			u, err := tx.CreateUser(ctx, ostiary.NewUser{Email: fmt.Sprintf("u%d@example.com", i)}, []string{ostiary.RoleAdmin})
			if err != nil {
				return err
			}
			ids = append(ids, u.ID)
		}
		return nil
	})
	var mu sync.Mutex
	refused := 0
	var group sync.WaitGroup
	for i, id := range ids {
		group.Go(func() {
			err := w.tryAdminister(func(ctx context.Context, tx *ostiary.AdminTx) error {
				switch i % 3 {
				case 0:
					return tx.SetRoles(ctx, id, nil)
				case 1:
					return tx.SetStatus(ctx, id, store.Disabled)
				default:
					return tx.DeleteUser(ctx, id)
				}
			})
			var e *ostiary.Error
			mu.Lock()
			defer mu.Unlock()
			if errors.As(err, &e) && e.Code == "last_administrator" {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if refused != 1 {
		t.Fatalf("%d removals were refused, want exactly one", refused)
	}
}

func TestR17_SecondSignInInOneBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.client()
	ada := c.knock("ada@example.com", "")
	old := ada.Cookies()[0]
	c.knock("ada@example.com", "")
	thief := w.client()
	thief.header.Set("Cookie", old.Name+"="+old.Value)
	thief.want(thief.do("GET", "/api/v1/who", nil), 401, "not_authenticated")

	// Another person's cookie is only replaced: his session goes on where else it is in use.
	bob := w.client()
	cookie := bob.knock("bob@example.com", "").Cookies()[0]
	shared := w.client()
	shared.header.Set("Cookie", cookie.Name+"="+cookie.Value)
	shared.knock("ada@example.com", "")
	bob.want(bob.do("GET", "/api/v1/who", nil), 200, "")
}

func TestSessionFixation(t *testing.T) {
	t.Parallel()
	c := newWorld(t, nil).client()
	planted := "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	c.header.Set("Cookie", "session="+planted)
	in := c.knock("ada@example.com", "")
	for _, k := range in.Cookies() {
		if k.Value == planted {
			t.Fatal("a sign-in kept the value that the browser brought")
		}
	}
}

func TestFreshAndReauthenticate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) {
		withFactor(cfg)
		cfg.Parts = append(cfg.Parts, freshPart{})
	})
	c := w.client()
	before := c.knock("ada@example.com", "").Cookies()[0].Value
	c.want(c.do("POST", "/api/v1/fresh", nil), 204, "")
	w.clock.advance(11 * time.Minute)
	stale := c.want(c.do("POST", "/api/v1/fresh", nil), 401, "reauthentication_required")
	if got := stale.Header.Get("WWW-Authenticate"); got == "" || !contains(got, "insufficient_user_authentication") || !contains(got, "max_age=600") {
		t.Fatalf("WWW-Authenticate: %s", got)
	}
	c.want(c.do("POST", "/api/v1/reauthenticate", map[string]any{"method": "nod", "code": "no"}), 401, "mfa_failed")
	again := c.want(c.do("POST", "/api/v1/reauthenticate", map[string]any{"method": "nod", "code": "yes"}), 200, "")
	if len(again.Cookies()) != 1 || again.Cookies()[0].Value == before {
		t.Fatal("the cookie value must change with a new proof")
	}
	c.want(c.do("POST", "/api/v1/fresh", nil), 204, "")
	old := w.client()
	old.header.Set("Cookie", "session="+before)
	old.want(old.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
}

func TestReauthenticateWithAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) {
		withFactor(cfg)
		cfg.Parts = append(cfg.Parts, freshPart{})
	})
	c := w.client()
	pair := c.knock("ada@example.com", "body").body
	c.header.Set("Authorization", "Bearer "+pair["access_token"].(string))
	w.clock.advance(11 * time.Minute)
	c.want(c.do("POST", "/api/v1/fresh", nil), 401, "reauthentication_required")
	again := c.want(c.do("POST", "/api/v1/reauthenticate", map[string]any{"method": "nod", "code": "yes"}), 200, "")
	c.header.Set("Authorization", "Bearer "+again.body["access_token"].(string))
	c.want(c.do("POST", "/api/v1/fresh", nil), 204, "")
}

// freshPart has one route that demands a fresh proof.
type freshPart struct{}

func (freshPart) Name() string { return "fresh" }
func (freshPart) Routes(*ostiary.Engine) ([]ostiary.Route, error) {
	return []ostiary.Route{{
		Name: "fresh", Pattern: "POST /api/v1/fresh", Need: []ostiary.Check{ostiary.Fresh(10 * time.Minute)},
		Serve: ostiary.JSON(func(context.Context, *ostiary.Call, *ostiary.None) (ostiary.None, error) { return ostiary.None{}, nil }),
	}}, nil
}

// However often somebody signs in, ending all his sessions stays a small transaction.
func TestSessionsOfAPersonAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) { cfg.InsecureNoRateLimits = true })
	oldest := w.client()
	id := oldest.userID(oldest.knock("ada@example.com", ""))
	for range 110 {
		w.clock.advance(time.Second)
		w.client().knock("ada@example.com", "body")
	}
	list, err := w.store.Sessions().List(t.Context(), store.SessionQuery{UserID: id})
	if err != nil || len(list) != 100 {
		t.Fatalf("%d sessions, %v", len(list), err)
	}
	grants, err := w.store.Grants().List(t.Context(), store.GrantQuery{UserID: id})
	if err != nil || len(grants) != 100 {
		t.Fatalf("%d grants, %v", len(grants), err)
	}
	oldest.want(oldest.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
}
