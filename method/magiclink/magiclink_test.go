package magiclink_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/apitest"
	"github.com/ostiary/ostiary/method/magiclink"
)

func TestLinkAndCode(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func(l letter) fields{
		"link":             func(l letter) fields { return fields{"token": l.token} },
		"code":             func(l letter) fields { return fields{"ticket": l.ticket, "code": l.code} },
		"code with spaces": func(l letter) fields { return fields{"ticket": l.ticket, "code": " " + l.code[:3] + " " + l.code[3:]} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, magiclink.Config{}, onSQLite(t))
			id := w.person(ada)
			c := w.Client()
			l := w.ask(c, "ADA@example.com ")
			r := c.Want("POST", consumes, body(l), 200, "")
			if r.Body["user"].(map[string]any)["id"] != id || !signedIn(c) {
				t.Errorf("got %s", r.Raw)
			}
			c.Want("POST", consumes, body(l), 400, "invalid_ticket")
			c.Want("POST", consumes, fields{"token": l.token}, 400, "invalid_ticket")
			c.Want("POST", consumes, fields{"ticket": l.ticket, "code": l.code}, 400, "invalid_ticket")
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{-1, time.Second, 2 * time.Hour} {
		if _, err := magiclink.New(magiclink.Config{TTL: ttl}); err == nil {
			t.Errorf("a TTL of %s was taken", ttl)
		}
	}
}

// Who asks learns nothing by the answer, the work or the mail that waits.
func TestR30_AskingTellsNothing(t *testing.T) {
	t.Parallel()
	for _, signUp := range []bool{false, true} {
		w := newWorld(t, magiclink.Config{SignUp: signUp})
		w.person(ada)
		w.disable(w.person("gone@example.com"))
		var first string
		for _, email := range []string{ada, "unknown@example.com", "gone@example.com"} {
			writes, queued := w.writes.Load(), w.queued.Load()
			r := w.Client().Want("POST", asks, fields{"email": email}, 202, "")
			if ticket, _ := r.Body["ticket"].(string); len(ticket) != 66 || len(r.Body) != 1 {
				t.Errorf("%s: got %s", email, r.Raw)
			}
			if len(r.Cookies()) != 1 || r.Cookies()[0].Name != "magic" || !r.Cookies()[0].HttpOnly || len(r.Cookies()[0].Value) != 43 {
				t.Errorf("%s: cookies %v", email, r.Cookies())
			}
			if first == "" {
				first = essence(r)
			}
			if diff := cmp.Diff(first, essence(r)); diff != "" {
				t.Error(diff)
			}
			if w.writes.Load()-writes != 1 || w.queued.Load()-queued != 1 {
				t.Errorf("%s took %d transactions and %d messages", email, w.writes.Load()-writes, w.queued.Load()-queued)
			}
		}
		w.mail(ada, "magic_link")
		if signUp {
			w.mail("unknown@example.com", "magic_signup")
		}
		w.Auth.Close()
		if len(w.mails) != 0 {
			t.Errorf("somebody else got mail: %v", <-w.mails)
		}
	}
}

// The ticket of an unknown address answers as any other, and never works.
func TestR30_DecoysAnswerAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{}, func(c *ostiary.Config) { c.InsecureNoRateLimits = true })
	w.person(ada)
	c := w.Client()
	real, decoy := w.ask(c, ada), w.askOnly(c, "unknown@example.com")
	for range 7 {
		a := c.Want("POST", consumes, fields{"ticket": real.ticket, "code": real.wrong()}, 400, "invalid_ticket")
		b := c.Want("POST", consumes, fields{"ticket": decoy, "code": real.wrong()}, 400, "invalid_ticket")
		if a.Body["detail"] != b.Body["detail"] {
			t.Errorf("%s\n%s", a.Raw, b.Raw)
		}
	}
}

// A scanner reads the mail, opens the link, runs the page and presses its button, from another browser: nothing happens,
// and nothing is used up.
func TestR30_ScannerGetsNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{})
	w.person(ada)
	c := w.Client()
	l := w.ask(c, ada)
	scanner := w.Client()
	for range 3 {
		scanner.Do("GET", "/magic?token="+l.token, nil)
		r := scanner.Want("POST", consumes, fields{"token": l.token}, 400, "invalid_ticket")
		if !strings.Contains(r.Body["detail"].(string), "only where it was asked for") {
			t.Errorf("got %s", r.Raw)
		}
	}
	w.askOnly(scanner, "unknown@example.com") // now it has a mark and a ticket, of its own
	scanner.Want("POST", consumes, fields{"token": l.token}, 400, "invalid_ticket")
	half := l.token[strings.Index(l.token, ".")+1:]
	key := l.token[:strings.Index(l.token, ".")]
	for name, body := range map[string]fields{
		"the token as a ticket":          {"ticket": l.token, "code": l.code},
		"the token beside the code":      {"token": l.token, "ticket": l.token},
		"only the key":                   {"ticket": key, "code": l.code},
		"the key with an empty half":     {"ticket": key + ".", "code": l.code},
		"the link with the key's ticket": {"token": l.token, "ticket": key + "." + half},
	} {
		if r := scanner.Do("POST", consumes, body); r.StatusCode != 400 || r.Code() != "invalid_ticket" {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.Raw)
		}
	}
	if signedIn(scanner) {
		t.Error("the scanner is signed in")
	}
	c.Want("POST", consumes, fields{"token": l.token}, 200, "")
}

// Where no cookie is kept, the ticket stands for the browser.
func TestR30_TicketStandsForTheBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{})
	w.person(ada)
	l := w.ask(w.Client(), ada)
	w.Client().Want("POST", consumes, fields{"token": l.token, "ticket": l.ticket}, 200, "")
}

// A mark that another site made the browser send counts for nothing.
func TestR30_MarkIsNotReadCrossSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{})
	w.person(ada)
	c := w.Client()
	l := w.ask(c, ada)
	c.Header.Set("Sec-Fetch-Site", "cross-site")
	c.Want("POST", consumes, fields{"token": l.token}, 403, "cross_origin")
	c.Header.Set("Authorization", "Bearer x") // a named credential spares the origin check, but not the cookie
	c.Want("POST", consumes, fields{"token": l.token}, 400, "invalid_ticket")
}

func TestR30_ANewRequestKillsNoEarlierOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{})
	w.person(ada)
	c := w.Client()
	first, second, third := w.ask(c, ada), w.ask(c, ada), w.ask(c, ada)
	decoy := w.askOnly(c, ada) // three are live: the fourth goes nowhere, and nobody is told
	c.Want("POST", consumes, fields{"ticket": decoy, "code": first.code}, 400, "invalid_ticket")
	c.Want("POST", consumes, fields{"token": first.token}, 200, "")
	c.Want("POST", consumes, fields{"ticket": second.ticket, "code": second.code}, 200, "")
	fourth := w.ask(c, ada) // the places of the used ones are free again
	w.ask(c, ada)
	w.askOnly(c, ada)
	c.Want("POST", consumes, fields{"token": third.token}, 200, "")
	c.Want("POST", consumes, fields{"token": fourth.token}, 200, "")
	w.Advance(15 * time.Minute)
	w.ask(c, ada)
	w.Auth.Close()
	if len(w.mails) != 0 {
		t.Errorf("too many mails: %v", <-w.mails)
	}
}

func TestR30_FiveGuessesATicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{})
	w.person(ada)
	c := w.Client()
	l := w.ask(c, ada)
	for range 5 {
		c.Want("POST", consumes, fields{"ticket": l.ticket, "code": l.wrong()}, 400, "invalid_ticket")
	}
	c.Want("POST", consumes, fields{"ticket": l.ticket, "code": l.code}, 400, "invalid_ticket")
	c.Want("POST", consumes, fields{"token": l.token}, 200, "")
}

// However many tickets and sources somebody uses, he tries twenty codes a day; links go on working.
func TestR30_TwentyGuessesADay(t *testing.T) {
	t.Parallel()
	for _, email := range []string{ada, "unknown@example.com"} {
		w := newWorld(t, magiclink.Config{}, trustProxy)
		w.person(ada)
		var at []int // minutes at which a guess was looked at
		for i := range 30 * 4 {
			c := w.Client()
			c.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i))
			ticket := w.askOnly(c, email)
			for range 5 {
				r := c.Do("POST", consumes, fields{"ticket": ticket, "code": "x"})
				if r.StatusCode == 429 && r.Header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				if r.Code() == "invalid_ticket" {
					at = append(at, 15*i)
				}
			}
			w.Advance(15 * time.Minute)
		}
		for i := range at {
			if i+20 < len(at) && at[i+20]-at[i] < 24*60 {
				t.Fatalf("%s: more than twenty guesses in a day, at minutes %v", email, at)
			}
		}
		if len(at) < 20 {
			t.Errorf("%s: only %d guesses were looked at: the test proves nothing", email, len(at))
		}
		if email == ada {
			for len(w.mails) > 0 {
				<-w.mails
			}
			c := w.Client()
			c.Want("POST", consumes, fields{"token": w.ask(c, ada).token}, 200, "")
		}
	}
}

func TestR30_OneWins(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]option{"memory": func(*ostiary.Config) {}, "sqlite": onSQLite(t)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, magiclink.Config{}, where, func(c *ostiary.Config) { c.InsecureNoRateLimits = true })
			w.person(ada)
			l := w.ask(w.Client(), ada)
			var calls []func() int
			for i := range 32 {
				body := fields{"token": l.token, "ticket": l.ticket}
				if i < 5 {
					body = fields{"ticket": l.ticket, "code": l.code}
				}
				c := w.Client()
				calls = append(calls, func() int { return c.Do("POST", consumes, body).StatusCode })
			}
			if got := together(calls...); got[200] != 1 || got[400] != 31 {
				t.Errorf("got %v", got)
			}
		})
	}
}

// What ends a link before its time.
func TestR26_LinkDies(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]func(w *world, id string){
		"with time":                 func(w *world, _ string) { w.Advance(15 * time.Minute) },
		"with the account disabled": func(w *world, id string) { w.disable(id) },
		"with signing out everywhere": func(w *world, id string) {
			e, c := w.Auth.Engine(ostiary.ActorCLI)
			if err := e.EndUser(w.Context(), c, id); err != nil {
				w.Fatal(err)
			}
		},
		"with a change of the address": func(w *world, id string) {
			w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error {
				return t.ChangeEmail(ctx, id, "new@example.com", true)
			})
		},
		"with the account": func(w *world, id string) {
			w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error { return t.DeleteUser(ctx, id) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, magiclink.Config{})
			id := w.person(ada)
			c := w.Client()
			l := w.ask(c, ada)
			kill(w, id)
			c.Want("POST", consumes, fields{"token": l.token}, 400, "invalid_ticket")
			c.Want("POST", consumes, fields{"ticket": l.ticket, "code": l.code}, 400, "invalid_ticket")
		})
	}
}

// Somebody took the address before its owner came. When the owner signs in by mail, nothing of that is left.
func TestR26_FirstProofByLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{}, onSQLite(t))
	thief := w.Person(ada)
	thief.Want("POST", "/api/v1/nod", nil, 204, "") // he even enrolled a second factor
	c := w.Client()
	l := w.ask(c, ada)
	r := c.Want("POST", consumes, fields{"ticket": l.ticket, "code": l.code}, 200, "")
	if user := r.Body["user"].(map[string]any); user["id"] != thief.ID || user["email_verified"] != true || user["mfa"] != false {
		t.Errorf("got %s", r.Raw)
	}
	if signedIn(thief) || !signedIn(c) {
		t.Error("the thief stayed, or the owner did not get in")
	}
}

// The second factor is due after a mail as after everything else.
func TestSecondFactorIsDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{})
	id := w.person(ada)
	enrolled := w.Person(ada)
	enrolled.Want("POST", "/api/v1/nod", nil, 204, "")
	for _, form := range []string{"link", "code"} {
		c := w.Client()
		l := w.ask(c, ada)
		body := fields{"token": l.token}
		if form == "code" {
			body = fields{"ticket": l.ticket, "code": l.code}
		}
		r := c.Want("POST", consumes, body, 200, "")
		if r.Body["mfa_required"] != true || r.Body["user"] != nil || len(r.Cookies()) != 0 || signedIn(c) {
			t.Fatalf("%s: got %s", form, r.Raw)
		}
		in := c.Want("POST", "/api/v1/login/mfa", fields{"mfa_token": r.Body["mfa_token"], "method": "nod", "code": "yes"}, 200, "")
		if in.Body["user"].(map[string]any)["id"] != id || !signedIn(c) {
			t.Errorf("%s: got %s", form, in.Raw)
		}
	}
}

func TestSignUpByLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{SignUp: true}, func(c *ostiary.Config) { c.RequireVerifiedEmail = true })
	c := w.Client()
	l := letter{ticket: w.askOnly(c, "New@example.com")}.with(t, w.mail("New@example.com", "magic_signup"))
	other := letter{ticket: w.askOnly(c, "new@example.com")}.with(t, w.mail("new@example.com", "magic_signup"))
	r := c.Want("POST", consumes, fields{"token": l.token, "delivery": "body"}, 200, "")
	user := r.Body["user"].(map[string]any)
	if user["email"] != "New@example.com" || user["email_verified"] != true || r.Body["refresh_token"] == nil {
		t.Errorf("got %s", r.Raw)
	}
	// The other mail to the same address finds the account that there is now.
	again := c.Want("POST", consumes, fields{"token": other.token}, 200, "")
	if again.Body["user"].(map[string]any)["id"] != user["id"] {
		t.Errorf("got %s", again.Raw)
	}
}

func TestSignUpFollowsThePolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{SignUp: true}, func(c *ostiary.Config) { c.SignUp = ostiary.SignUpInvite })
	w.askOnly(w.Client(), "new@example.com")
	w.Auth.Close()
	if len(w.mails) != 0 {
		t.Error("a stranger got mail")
	}
}

// The mail goes to the address as it is stored, however it was typed.
func TestR30_MailGoesToTheStoredAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{})
	w.person(ada)
	w.askOnly(w.Client(), "ａｄａ@EXAMPLE.com")
	w.mail(ada, "magic_link")
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, magiclink.Config{})
	c := w.Client()
	for name, body := range map[string]fields{
		"nothing": {}, "token and code": {"token": "x", "code": "y"}, "ticket alone": {"ticket": "x"}, "code alone": {"code": "123456"},
	} {
		if r := c.Do("POST", consumes, body); r.StatusCode != 400 || r.Code() != "invalid_request" {
			t.Errorf("%s: %s", name, r.Raw)
		}
	}
	for _, token := range []string{"x", ".", "x.y", strings.Repeat("a", 5000)} {
		c.Want("POST", consumes, fields{"token": token}, 400, "invalid_ticket")
	}
	c.Want("POST", asks, fields{"email": "nobody"}, 400, "invalid_request")
}

func TestMailNotConfigured(t *testing.T) {
	t.Parallel()
	m, err := magiclink.New(magiclink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := apitest.New(t, func(c *ostiary.Config) { c.Methods = append(c.Methods, m) })
	w.Client().Want("POST", asks, fields{"email": ada}, 503, "mail_not_configured")
}
