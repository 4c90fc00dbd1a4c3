package password_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
)

// wink is a second factor whose answer is "yes". Whoever asks for it has it.
type wink struct{ kit *ostiary.Kit }

func (*wink) Name() string    { return "wink" }
func (*wink) Field() string   { return "" }
func (*wink) Guessable() bool { return false }

func (k *wink) Routes(kit *ostiary.Kit) ([]ostiary.Route, error) {
	k.kit = kit
	return []ostiary.Route{{Name: "wink.enrol", Pattern: "POST /api/v1/wink", Serve: ostiary.JSON(k.enrol)}}, nil
}

func (k *wink) enrol(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.None, error) {
	_, err := k.kit.Credentials.Create(ctx, ostiary.Credential{UserID: c.Principal.User.ID, Factor: true})
	return ostiary.None{}, err
}

func (k *wink) Verify(_ context.Context, _ *ostiary.Call, userID string, response json.RawMessage) (ostiary.Proof, error) {
	if string(response) != `"yes"` {
		return ostiary.Proof{}, ostiary.Fail(401, "mfa_failed", "no")
	}
	return ostiary.Proof{UserID: userID, AMR: []string{"otp"}}, nil
}

// Whoever has a trusted browser and the password, and not the second factor, must get at neither the password nor the address:
// the notices of a recovery would go to him.
func TestAttack_PasswordAloneTakesAnAccountWithTwoSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{engine: func(c *ostiary.Config) {
		c.Methods = append(c.Methods, &wink{})
		c.TrustDevices = 30 * 24 * time.Hour
	}})
	w.person("ada@example.com").post("/wink", nil, 204, "")
	c := w.client()
	in := c.login("ada@example.com", good, 200, "")
	c.post("/login/mfa", fields{"mfa_token": in.body["mfa_token"], "method": "wink", "code": "yes", "trust_device": true}, 200, "")
	if again := c.login("ada@example.com", good, 200, ""); again.body["mfa_required"] != nil {
		t.Fatalf("the browser is not trusted: %s", again.raw)
	}
	change, move := fields{"current_password": good, "new_password": other}, fields{"email": "thief@example.com", "current_password": good}
	c.post("/password/change", change, 401, "reauthentication_required")
	c.post("/email/change", move, 401, "reauthentication_required")
	c.post("/reauthenticate", fields{"password": good}, 403, "mfa_required")
	c.post("/reauthenticate", fields{"method": "wink", "code": "yes"}, 200, "")
	w.clock.advance(10*time.Minute + time.Second)
	c.post("/password/change", change, 401, "reauthentication_required")
	c.post("/reauthenticate", fields{"method": "wink", "code": "yes"}, 200, "")
	c.post("/email/change", fields{"email": "b@example.com", "current_password": other}, 401, "invalid_credentials")
	c.post("/password/change", change, 204, "")
}

// keeper is a part whose credentials are suspended.
type keeper struct {
	mu        sync.Mutex
	suspended []string
}

func (*keeper) Name() string                                    { return "keeper" }
func (*keeper) Routes(*ostiary.Engine) ([]ostiary.Route, error) { return nil, nil }

func (k *keeper) Suspend(_ context.Context, _ *ostiary.Tx, userID string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.suspended = append(k.suspended, userID)
	return nil
}

// Whoever moved an address without right may have made keys, too: the way back suspends them (R26).
func TestR26_TheWayBackSuspendsKeys(t *testing.T) {
	t.Parallel()
	keys := &keeper{}
	w := newWorld(t, settings{engine: func(c *ostiary.Config) { c.Parts = append(c.Parts, keys) }})
	thief := w.person("owner@example.com")
	revert := w.move(thief, "owner@example.com", "thief@example.com")
	if len(keys.suspended) != 0 {
		t.Fatalf("suspended %v too early", keys.suspended)
	}
	w.client().post("/email/revert", fields{"token": revert}, 204, "")
	id := w.client().login("owner@example.com", good, 200, "").body["user"].(map[string]any)["id"].(string)
	if !slices.Contains(keys.suspended, id) {
		t.Errorf("suspended %v", keys.suspended)
	}
}
