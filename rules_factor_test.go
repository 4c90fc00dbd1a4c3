package ostiary_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
)

// sure is a second factor that cannot be guessed.
type sure struct{ nod }

func (*sure) Name() string    { return "sure" }
func (*sure) Field() string   { return "" }
func (*sure) Guessable() bool { return false }

func (s *sure) Routes(kit *ostiary.Kit) ([]ostiary.Route, error) {
	s.kit = kit
	return []ostiary.Route{{Name: "sure.enrol", Pattern: "POST /api/v1/sure", Serve: ostiary.JSON(s.enrol)}}, nil
}

// careful has routes that need a proof of the last ten minutes, or two factors.
type careful struct{}

func (careful) Name() string { return "careful" }

func (careful) Routes(*ostiary.Engine) ([]ostiary.Route, error) {
	ok := ostiary.JSON(func(context.Context, *ostiary.Call, *ostiary.None) (ostiary.None, error) { return ostiary.None{}, nil })
	return []ostiary.Route{
		{Name: "careful.fresh", Pattern: "GET /api/v1/careful", Need: []ostiary.Check{ostiary.Fresh(10 * time.Minute)}, Serve: ok},
		{Name: "careful.mfa", Pattern: "GET /api/v1/twice", Need: []ostiary.Check{ostiary.MFA()}, Serve: ok},
	}, nil
}

// twoSteps is a world with two second factors and trusted devices, where sources are not limited.
func twoSteps(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, func(cfg *ostiary.Config) {
		cfg.Methods = append(cfg.Methods, &nod{}, &sure{})
		cfg.Parts = append(cfg.Parts, careful{})
		cfg.TrustDevices = 30 * 24 * time.Hour
	})
	return w
}

// enrolled makes a person with a second factor, and returns her first browser.
func (w *world) enrolled(email string) *client {
	w.Helper()
	c := w.client()
	c.knock(email, "")
	c.want(c.do("POST", "/api/v1/nod", nil), 204, "")
	return c
}

// ticket passes the first factor.
func (c *client) ticket(email string) any {
	c.w.Helper()
	in := c.knock(email, "")
	if in.body["mfa_required"] != true || in.body["user"] != nil {
		c.w.Fatalf("no second factor was asked for: %s", in.raw)
	}
	return in.body["mfa_token"]
}

func (c *client) second(ticket any, method, code string, trust bool) reply {
	c.w.Helper()
	return c.do("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": ticket, "method": method, "code": code, "trust_device": trust})
}

// Wrong codes are counted for the account across tickets; what cannot be guessed stays usable.
func TestR29_WrongCodesAreCountedForTheAccount(t *testing.T) {
	t.Parallel()
	w := twoSteps(t)
	first := w.enrolled("ada@example.com")
	first.want(first.do("POST", "/api/v1/sure", nil), 204, "")
	c := w.client()
	for range 2 {
		ticket := c.ticket("ada@example.com")
		for range 5 {
			c.want(c.second(ticket, "nod", "no", false), 401, "mfa_failed")
		}
	}
	ticket := c.ticket("ada@example.com")
	refused := c.want(c.second(ticket, "nod", "yes", false), 429, "rate_limited")
	if wait, _ := strconv.Atoi(refused.Header.Get("Retry-After")); wait < 3600 || wait > 72*60 {
		t.Errorf("Retry-After is %q", refused.Header.Get("Retry-After"))
	}
	c.want(c.second(ticket, "sure", "yes", false), 200, "")
	bob := w.enrolled("bob@example.com")
	bob.want(bob.do("POST", "/api/v1/reauthenticate", map[string]any{"method": "nod", "code": "yes"}), 200, "")
}

// However somebody spreads his guesses, there are at most ten in an hour and thirty in a day; right codes cost nothing.
func TestR29_TenAnHourAndThirtyADay(t *testing.T) {
	t.Parallel()
	w := twoSteps(t)
	w.enrolled("ada@example.com")
	c := w.client()
	var at []time.Time
	for range 24 * 6 {
		w.clock.advance(10 * time.Minute)
		ticket := c.ticket("ada@example.com")
		for range 3 {
			if r := c.second(ticket, "nod", "no", false); r.code() == "mfa_failed" {
				at = append(at, w.clock.now())
			}
		}
	}
	for i, from := range at {
		hour, day := 0, 0
		for _, other := range at[i:] {
			if other.Sub(from) < time.Hour {
				hour++
			}
			if other.Sub(from) < 24*time.Hour {
				day++
			}
		}
		if hour > 10 || day > 30 {
			t.Fatalf("%d guesses in an hour, %d in a day", hour, day)
		}
	}
	if len(at) < 20 {
		t.Fatalf("only %d guesses were taken: the test proves nothing", len(at))
	}
	w.clock.advance(24 * time.Hour)
	for range 12 {
		c.want(c.second(w.client().ticket("ada@example.com"), "nod", "yes", false), 200, "")
		w.clock.advance(time.Minute)
	}
}

func TestR29_ParallelGuessesAreBounded(t *testing.T) {
	t.Parallel()
	w := twoSteps(t)
	w.enrolled("ada@example.com")
	var tickets []any
	for range 4 {
		tickets = append(tickets, w.client().ticket("ada@example.com"))
	}
	var looked int
	var mu sync.Mutex
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			r := w.client().second(tickets[i%4], "nod", "no", false)
			mu.Lock()
			defer mu.Unlock()
			if r.code() == "mfa_failed" {
				looked++
			}
		})
	}
	group.Wait()
	if looked > 10 {
		t.Fatalf("%d guesses were looked at", looked)
	}
}

func TestR28_TrustedDeviceSkipsTheSecondStepAndNothingElse(t *testing.T) {
	t.Parallel()
	w := twoSteps(t)
	first := w.enrolled("ada@example.com")
	laptop := w.client()
	done := laptop.want(laptop.second(laptop.ticket("ada@example.com"), "nod", "yes", true), 200, "")
	if strings.Contains(done.raw, "trusted") {
		t.Errorf("the body holds %s", done.raw)
	}
	in := laptop.knock("ada@example.com", "")
	if in.body["mfa_required"] != nil {
		t.Fatalf("a trusted browser was asked: %s", in.raw)
	}
	laptop.want(laptop.do("GET", "/api/v1/careful", nil), 401, "reauthentication_required")
	laptop.want(laptop.do("GET", "/api/v1/twice", nil), 401, "reauthentication_required")
	laptop.want(laptop.do("POST", "/api/v1/reauthenticate", map[string]any{"method": "nod", "code": "yes"}), 200, "")
	laptop.want(laptop.do("GET", "/api/v1/careful", nil), 204, "")
	w.client().ticket("ada@example.com") // another browser is asked

	list := first.want(first.do("GET", "/api/v1/mfa/trusted-devices", nil), 200, "")
	items, _ := list.body["items"].([]any)
	if len(items) != 1 || items[0].(map[string]any)["current"] != false {
		t.Fatalf("got %s", list.raw)
	}
	id := items[0].(map[string]any)["id"].(string)
	bob := w.enrolled("bob@example.com")
	bob.want(bob.do("DELETE", "/api/v1/mfa/trusted-devices/"+id, nil), 404, "not_found")
	first.want(first.do("DELETE", "/api/v1/mfa/trusted-devices/"+id, nil), 204, "")
	first.want(first.do("DELETE", "/api/v1/mfa/trusted-devices/"+id, nil), 404, "not_found")
	laptop.ticket("ada@example.com")
}

func TestR28_TrustedDeviceIsOnePersonsAndDies(t *testing.T) {
	t.Parallel()
	const cookie = "trusted_device"
	for name, void := range map[string]func(w *world, ada, laptop *client){
		"another person": func(w *world, _, _ *client) { w.enrolled("bob@example.com") },
		"signed out everywhere": func(_ *world, ada, _ *client) {
			ada.want(ada.do("POST", "/api/v1/logout/all", nil), 204, "")
		},
		"password changed": func(_ *world, ada, _ *client) { ada.want(ada.do("POST", "/api/v1/knock/change", nil), 204, "") },
		"factor added":     func(_ *world, ada, _ *client) { ada.want(ada.do("POST", "/api/v1/sure", nil), 204, "") },
		"thirty days":      func(w *world, _, _ *client) { w.clock.advance(30 * 24 * time.Hour) },
		"tampered": func(w *world, _, laptop *client) {
			laptop.header.Set("Cookie", cookie+"="+strings.Repeat("A", 43))
			laptop.http.Jar = nil
		},
		"sent twice": func(w *world, _, laptop *client) {
			value := laptop.cookie(cookie)
			laptop.http.Jar = nil
			laptop.header.Set("Cookie", cookie+"="+value+"; "+cookie+"="+value)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := twoSteps(t)
			ada, laptop := w.enrolled("ada@example.com"), w.client()
			laptop.want(laptop.second(laptop.ticket("ada@example.com"), "nod", "yes", true), 200, "")
			void(w, ada, laptop)
			who := "ada@example.com"
			if name == "another person" {
				who = "bob@example.com"
			}
			laptop.ticket(who)
		})
	}
}

// cookie is the value of a cookie that the browser holds.
func (c *client) cookie(name string) string {
	c.w.Helper()
	req, err := http.NewRequest("GET", c.w.auth.Issuer(), nil)
	if err != nil {
		c.w.Fatal(err)
	}
	for _, k := range c.http.Jar.Cookies(req.URL) {
		if k.Name == name {
			return k.Value
		}
	}
	c.w.Fatalf("the browser has no cookie %q", name)
	return ""
}

func TestR28_DevicesAreTrustedOnlyWhereAllowedAndAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withFactor)
	w.enrolled("ada@example.com")
	c := w.client()
	c.want(c.second(c.ticket("ada@example.com"), "nod", "yes", true), 200, "")
	c.ticket("ada@example.com")
	allowed := twoSteps(t)
	allowed.enrolled("ada@example.com")
	d := allowed.client()
	d.want(d.second(d.ticket("ada@example.com"), "nod", "yes", false), 200, "")
	d.ticket("ada@example.com")
}

// No more than ten browsers are trusted: the oldest makes room.
func TestR28_TrustedDevicesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) {
		withFactor(cfg)
		cfg.TrustDevices, cfg.InsecureNoRateLimits = time.Hour, true
	})
	ada := w.enrolled("ada@example.com")
	var browsers []*client
	for range 11 {
		c := w.client()
		c.want(c.second(c.ticket("ada@example.com"), "nod", "yes", true), 200, "")
		browsers = append(browsers, c)
		w.clock.advance(time.Second)
	}
	if items := ada.do("GET", "/api/v1/mfa/trusted-devices", nil).body["items"].([]any); len(items) != 10 {
		t.Errorf("%d devices are trusted", len(items))
	}
	browsers[0].ticket("ada@example.com")
	if in := browsers[10].knock("ada@example.com", ""); in.body["mfa_required"] == true {
		t.Error("the newest is not trusted")
	}
}

// A change of factors makes sign-ins worthless that were waiting for one.
func TestR28_FactorChangeVoidsPendingSignIns(t *testing.T) {
	t.Parallel()
	w := twoSteps(t)
	ada, other := w.enrolled("ada@example.com"), w.client()
	ticket := other.ticket("ada@example.com")
	ada.want(ada.do("POST", "/api/v1/sure", nil), 204, "")
	other.want(other.second(ticket, "nod", "yes", false), 400, "invalid_ticket")
}

// A credential that stops being a factor, or becomes one, is a change of factors, too.
func TestR28_FlippingAFactorVoidsPendingSignIns(t *testing.T) {
	t.Parallel()
	n := &nod{}
	w := newWorld(t, func(cfg *ostiary.Config) { cfg.Methods = append(cfg.Methods, n) })
	ada, other := w.enrolled("ada@example.com"), w.client()
	ticket := other.ticket("ada@example.com")
	id := ada.do("GET", "/api/v1/who", nil).body["id"].(string)
	err := n.kit.Do(t.Context(), nil, func(tx *ostiary.Tx) error {
		rows, err := tx.Credentials.Of(t.Context(), id)
		if err != nil {
			return err
		}
		rows[0].Factor = false
		return tx.Credentials.Update(t.Context(), rows[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	other.want(other.second(ticket, "nod", "yes", false), 400, "invalid_ticket")
	if in := other.knock("ada@example.com", ""); in.body["mfa_required"] != nil {
		t.Errorf("got %s", in.raw)
	}
}
