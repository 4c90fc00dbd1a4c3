package password_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/password"
)

func TestRegisterAndVerify(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, s settings) {
		w := newWorld(t, s)
		c := w.client()
		r := c.post("/register", fields{"email": "Ada@Example.com", "password": good, "name": "Ada Lovelace"}, 201, "")
		user := r.body["user"].(map[string]any)
		if user["email"] != "Ada@Example.com" || user["email_verified"] != false || user["name"] != "Ada Lovelace" || r.body["session_id"] == "" {
			t.Fatalf("got %s", r.raw)
		}
		if !c.signedIn() {
			t.Error("nobody is signed in")
		}
		n, token := w.mail("Ada@Example.com", "verify")
		if n.Data["Expires"] != "24 hours" || !strings.HasPrefix(n.Data["Link"], w.auth.Issuer()+"/verify?token=") || n.Data["Name"] != "" {
			t.Errorf("mail data %v", n.Data)
		}
		c.post("/email/verify", fields{"token": token}, 204, "")
		c.post("/email/verify", fields{"token": token}, 400, "invalid_ticket")
		if !c.signedIn() {
			t.Error("confirming the address signed out")
		}
		in := w.client().login(" ada@EXAMPLE.com", good, 200, "")
		if in.body["user"].(map[string]any)["email_verified"] != true {
			t.Errorf("got %s", in.raw)
		}
	})
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.client().register("ada@example.com", good)
	cases := map[string]struct {
		in     fields
		status int
		code   string
	}{
		"taken":                  {fields{"email": "ada@example.com", "password": good}, 409, "email_taken"},
		"taken, other spelling":  {fields{"email": "ADA@Ｅxample.COM", "password": good}, 409, "email_taken"},
		"looks like a taken one": {fields{"email": "ＡＤＡ@example.com", "password": good}, 400, "invalid_request"},
		"too short":              {fields{"email": "b@example.com", "password": "short"}, 400, "weak_password"},
		"257 code points":        {fields{"email": "b@example.com", "password": good + strings.Repeat("é", 257-len(good))}, 400, "weak_password"},
		"about the address":      {fields{"email": "elizabethbennet@example.com", "password": "elizabethbennet1"}, 400, "weak_password"},
		"no address":             {fields{"email": "not an address", "password": good}, 400, "invalid_request"},
		"a line in the name":     {fields{"email": "b@example.com", "password": good, "name": "a\nb"}, 400, "invalid_request"},
		"a role":                 {fields{"email": "b@example.com", "password": good, "roles": []string{"admin"}}, 400, "unknown_field"},
		"a number":               {fields{"email": "b@example.com", "password": 12345678901234}, 400, "invalid_request"},
		"more than 64 KiB":       {fields{"email": "b@example.com", "password": strings.Repeat("a", 65<<10)}, 413, "payload_too_large"},
		"unknown delivery":       {fields{"email": "b@example.com", "password": good, "delivery": "pigeon"}, 400, "invalid_request"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := w.client().post("/register", c.in, c.status, c.code)
			if c.code == "weak_password" && r.body["errors"].([]any)[0].(map[string]any)["location"] != "body.password" {
				t.Errorf("got %s", r.raw)
			}
			if pass, _ := c.in["password"].(string); len(pass) > 6 && strings.Contains(r.raw, pass) {
				t.Error("the answer repeats the password")
			}
		})
	}
}

func TestLongAndUnicodePasswords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	long := good + " " + strings.Repeat("né☃", 75)
	long = string([]rune(long)[:256])
	w.client().register("long@example.com", long)
	w.client().login("long@example.com", long, 200, "")
	w.client().login("long@example.com", string([]rune(long)[:255]), 401, "invalid_credentials")
	w.client().login("long@example.com", long+"x", 401, "invalid_credentials")
	w.client().register("nfkc@example.com", "Ｃafe\u0301 am Rande der Nacht")
	w.client().login("nfkc@example.com", "Café am Rande der Nacht", 200, "")
}

func TestSignUpPolicies(t *testing.T) {
	t.Parallel()
	for _, policy := range []ostiary.SignUp{ostiary.SignUpInvite, ostiary.SignUpClosed} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings{engine: func(c *ostiary.Config) { c.SignUp = policy }})
			w.client().post("/register", fields{"email": "a@example.com", "password": good}, 403, "signup_closed")
		})
	}
}

// Neither the answer nor the work tells whether an address is taken.
func TestR34_QuietSignUp(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ostiary.Config){"quiet": quiet, "verified only": verified} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings{engine: change})
			var fresh, taken reply
			first := w.cost(func() {
				fresh = w.client().post("/register", fields{"email": "ada@example.com", "password": good}, 202, "")
			})
			again := w.cost(func() {
				taken = w.client().post("/register", fields{"email": "Ada@example.com", "password": other}, 202, "")
			})
			if fresh.raw != `{"verification_required":true}`+"\n" || len(fresh.Cookies()) > 0 {
				t.Errorf("got %s", fresh.raw)
			}
			if diff := cmp.Diff(fresh.essence(), taken.essence()); diff != "" {
				t.Error(diff)
			}
			if want := (cost{1, 1, 1}); first != want || again != want {
				t.Errorf("a new address cost %v, a taken one %v", first, again)
			}
			w.mail("ada@example.com", "verify")
			if n, _ := w.mail("ada@example.com", "signup_exists"); n.Data["Link"] != w.auth.Issuer()+"/login" {
				t.Errorf("mail data %v", n.Data)
			}
			w.client().post("/register", fields{"email": "ada@example.com", "password": good, "name": "a\nb"}, 400, "invalid_request")
			w.client().post("/register", fields{"email": "ada@example.com", "password": "short"}, 400, "weak_password")
		})
	}
}

func TestQuietSignUpDoesNotChangeThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{engine: quiet})
	w.client().post("/register", fields{"email": "ada@example.com", "password": good}, 202, "")
	w.client().post("/register", fields{"email": "ada@example.com", "password": other}, 202, "")
	w.client().login("ada@example.com", other, 401, "invalid_credentials")
	w.client().login("ada@example.com", good, 200, "")
}

func TestRegisterRace(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, s settings) {
		w := newWorld(t, s)
		got := together(8, func(int) (reply, error) {
			return w.client().send("POST", "/register", fields{"email": "ada@example.com", "password": good})
		})
		if got[201] != 1 || got[409] != 7 {
			t.Errorf("got %v", got)
		}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	cases := map[string]password.Config{
		"hash":       {Hash: "md5"},
		"weak hash":  {Hash: "argon2id:m=8,t=1,p=1"},
		"policy":     {Policy: password.Policy{MinLength: 4}},
		"permits":    {Permits: -1},
		"reset TTL":  {ResetTTL: 48 * 3600e9},
		"verify TTL": {VerifyTTL: -1},
	}
	for name, cfg := range cases {
		if _, err := password.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := password.New(password.Config{}); err != nil {
		t.Error(err)
	}
}
