package totp_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/apitest"
)

func TestSetupConfirmSignInRemove(t *testing.T) {
	t.Parallel()
	w, post := newWorld(t, nil)
	c := w.Person(ada)
	r := c.Want("POST", setup, nil, 200, "")
	image, isPNG := strings.CutPrefix(r.Body["qr_code"].(string), "data:image/png;base64,")
	raw, err := base64.StdEncoding.DecodeString(image)
	if err != nil || !isPNG {
		t.Fatalf("the QR code is %q: %v", r.Body["qr_code"], err)
	}
	if _, err := png.Decode(bytes.NewReader(raw)); err != nil {
		t.Errorf("decode QR code: %v", err)
	}
	if url := r.Body["otpauth_url"].(string); !strings.HasPrefix(url, "otpauth://totp/Example:ada%40example.com?") {
		t.Errorf("got %s", url)
	}
	if in := w.Client().SignIn(ada); in.Body["mfa_required"] != nil {
		t.Fatal("a setup alone enabled something")
	}
	a := scan(c)
	made := list(c.Want("POST", confirm, map[string]any{"code": a.code(0)}, 200, ""))
	if len(made) != 10 || len(slices.Compact(slices.Sorted(slices.Values(made)))) != 10 {
		t.Fatalf("got %v", made)
	}
	post.want(t, "mfa_enabled")
	phone := w.Client()
	token := ticket(phone, ada)
	w.Advance(30 * time.Second)
	want(t, second(phone, token, "totp", a.code(0)), 200, "")
	if factors := phone.Want("GET", "/api/v1/mfa", nil, 200, ""); factors.Body["enabled"] != true || fmt.Sprint(factors.Body["methods"]) != "[totp backup_code]" {
		t.Errorf("got %s", factors.Raw)
	}
	phone.Want("DELETE", remove, nil, 204, "")
	post.want(t, "mfa_disabled")
	phone.Want("DELETE", remove, nil, 404, "not_found")
	phone.Want("POST", codes, nil, 409, "conflict")
	if left := phone.Want("GET", codes, nil, 200, ""); left.Body["left"] != 0.0 {
		t.Errorf("backup codes outlived the last factor: %s", left.Raw)
	}
	w.Client().SignIn(ada)
}

// A code of the step before or after is taken; none is taken twice, nor one of an earlier step after it.
func TestR28_CodesWorkOnce(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, unlimited)
	_, a, _ := enrol(w, ada)
	try := func(code string, status int) {
		t.Helper()
		c := w.Client()
		r := second(c, ticket(c, ada), "totp", code)
		if r.StatusCode != status {
			t.Fatalf("got %d, want %d: %s", r.StatusCode, status, r.Raw)
		}
	}
	try(a.code(0), 401) // it confirmed the setup
	try(a.code(2), 401)
	try(a.code(-1), 401)
	used := a.code(1)
	try(used, 200)
	try(used, 401)
	w.Advance(30 * time.Second)
	try(used, 401) // the same code in its own step
	w.Advance(30 * time.Second)
	try(used, 401) // and in the next
	try(a.code(0), 200)
	w.Advance(5 * time.Minute)
	try(a.code(-2), 401)
	try(a.code(-1), 200)
	try(a.code(0), 200)
}

func TestR28_ParallelUsesOfOneCode(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ostiary.Config){"memory": unlimited, "sqlite": onDisk(t)} {
		t.Run(name, func(t *testing.T) {
			w, _ := newWorld(t, change)
			_, a, _ := enrol(w, ada)
			w.Advance(time.Minute)
			var tickets []any
			for range 32 {
				tickets = append(tickets, ticket(w.Client(), ada))
			}
			if won := race(32, func(i int) apitest.Reply { return second(w.Client(), tickets[i], "totp", a.code(0)) }); won != 1 {
				t.Errorf("%d winners", won)
			}
		})
	}
}

func TestR28_SetupConfirmRace(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ostiary.Config){"memory": unlimited, "sqlite": onDisk(t)} {
		t.Run(name, func(t *testing.T) {
			w, _ := newWorld(t, change)
			c := w.Person(ada)
			a := scan(c)
			if won := race(16, func(int) apitest.Reply { return c.Do("POST", confirm, map[string]any{"code": a.code(0)}) }); won != 1 {
				t.Errorf("%d winners", won)
			}
		})
	}
}

func TestR28_SetupIsReplacedAndExpires(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, unlimited)
	c, other := w.Person(ada), w.Person("bob@example.com")
	c.Want("POST", confirm, map[string]any{"code": "123456"}, 400, "invalid_ticket")
	first, later := scan(c), scan(c)
	c.Want("POST", confirm, map[string]any{"code": first.code(0)}, 401, "mfa_failed")
	other.Want("POST", confirm, map[string]any{"code": later.code(0)}, 400, "invalid_ticket")
	c.Want("POST", confirm, map[string]any{"code": "12345"}, 401, "mfa_failed")
	c.Want("POST", confirm, map[string]any{"code": later.code(0)}, 200, "")
	c.Want("POST", confirm, map[string]any{"code": later.code(1)}, 400, "invalid_ticket")
	bobs := scan(other)
	w.Advance(10*time.Minute - time.Second)
	other.Want("POST", confirm, map[string]any{"code": bobs.code(0)}, 200, "")
	w.Advance(time.Minute)
	c.Want("POST", again, map[string]any{"method": "totp", "code": later.code(0)}, 200, "")
	slow := scan(c)
	w.Advance(10 * time.Minute)
	c.Want("POST", confirm, map[string]any{"code": slow.code(0)}, 401, "reauthentication_required")
	c.Want("POST", again, map[string]any{"method": "totp", "code": later.code(0)}, 200, "")
	c.Want("POST", confirm, map[string]any{"code": slow.code(0)}, 400, "invalid_ticket")
}

// Another app takes the place of the first one, which works until then and not after.
func TestR28_AppIsReplaced(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, unlimited)
	c, old, before := enrol(w, ada)
	next := scan(c)
	w.Advance(30 * time.Second)
	phone := w.Client()
	want(t, second(phone, ticket(phone, ada), "totp", old.code(0)), 200, "")
	waiting := ticket(w.Client(), ada)
	c.Want("POST", confirm, map[string]any{"code": next.code(0)}, 200, "")
	w.Advance(30 * time.Second)
	want(t, second(w.Client(), waiting, "totp", next.code(0)), 400, "invalid_ticket")
	want(t, second(phone, ticket(w.Client(), ada), "totp", old.code(0)), 401, "mfa_failed")
	want(t, second(phone, ticket(w.Client(), ada), "backup_code", before[0]), 401, "mfa_failed")
	want(t, second(phone, ticket(w.Client(), ada), "totp", next.code(0)), 200, "")
}

func TestR28_FactorsNeedAFreshProof(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, unlimited)
	c, a, _ := enrol(w, ada)
	w.Advance(10*time.Minute + time.Second)
	for _, r := range []struct{ method, path string }{{"POST", setup}, {"POST", confirm}, {"DELETE", remove}, {"POST", codes}} {
		body := any(nil)
		if r.path == confirm {
			body = map[string]any{"code": a.code(0)}
		}
		c.Want(r.method, r.path, body, 401, "reauthentication_required")
		w.Client().Want(r.method, r.path, body, 401, "not_authenticated")
	}
	c.Want("POST", again, map[string]any{"method": "totp", "code": "000000"}, 401, "mfa_failed")
	c.Want("DELETE", remove, nil, 401, "reauthentication_required")
	c.Want("POST", again, map[string]any{"method": "totp", "code": a.code(0)}, 200, "")
	c.Want("DELETE", remove, nil, 204, "")
}

// Whoever was signed in without the factor is not any more once there is one.
func TestR28_FirstFactorEndsOtherSessions(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, unlimited)
	thief := w.Person(ada)
	c, _, _ := enrol(w, ada)
	thief.Want("GET", "/api/v1/mfa", nil, 401, "not_authenticated")
	c.Want("GET", "/api/v1/mfa", nil, 200, "")
}

// The second step belongs to the one who took the first.
func TestR29_FactorOfSomebodyElse(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, unlimited)
	_, _, _ = enrol(w, ada)
	_, bobs, backup := enrol(w, "bob@example.com")
	w.Advance(time.Minute)
	c := w.Client()
	token := ticket(c, ada)
	want(t, second(c, token, "totp", bobs.code(0)), 401, "mfa_failed")
	want(t, second(c, token, "backup_code", backup[0]), 401, "mfa_failed")
	c.Want("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": token, "method": "totp", "code": bobs.code(0), "user_id": "x"}, 400, "unknown_field")
	for _, body := range []map[string]any{
		{"mfa_token": token, "method": "totp"},
		{"mfa_token": token, "method": "totp", "code": 123456},
		{"mfa_token": token, "method": "backup_code", "code": []string{backup[0]}},
		{"mfa_token": token, "method": "knock", "code": "x"},
	} {
		if r := c.Do("POST", "/api/v1/login/mfa", body); r.Code() != "invalid_request" && r.Code() != "invalid_ticket" {
			t.Errorf("%v: %s", body, r.Raw)
		}
	}
}

// Every delivery asks, and so does a browser that holds another session.
func TestR28_NoDeliverySkipsTheFactor(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, unlimited)
	_, a, _ := enrol(w, ada)
	for _, delivery := range []string{"session", "split", "cookies", "body"} {
		w.Advance(time.Minute)
		c := w.Person("bob@example.com")
		r := c.Want("POST", "/api/v1/knock", map[string]any{"email": ada, "delivery": delivery}, 200, "")
		if r.Body["mfa_token"] == nil || len(r.Cookies()) > 0 || r.Body["access_token"] != nil {
			t.Fatalf("%s: %s", delivery, r.Raw)
		}
		want(t, second(c, r.Body["mfa_token"], "totp", a.code(0)), 200, "")
	}
	c := w.Client()
	token := ticket(c, ada)
	w.Advance(5 * time.Minute)
	want(t, second(c, token, "totp", a.code(0)), 400, "invalid_ticket")
}

func TestKeptSecretsAreSealed(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, nil)
	c, a, made := enrol(w, ada)
	rows, err := w.Store.Credentials().Of(t.Context(), c.ID)
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for _, row := range rows {
		if bytes.Contains(row.Data, a.secret) || bytes.Contains(row.Data, []byte(made[0])) || row.Factor != (row.Method == "totp") {
			t.Errorf("the row of %s is wrong", row.Method)
		}
	}
}
