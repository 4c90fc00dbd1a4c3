package keys_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/keys"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

var start = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// node is one process with its own ring.
type node struct {
	*keys.Rotator
	ring *token.Ring
}

func newNode(s store.Store, m keys.Master, c *clock, change ...func(*keys.RotatorConfig)) node {
	cfg := keys.RotatorConfig{Store: s, Master: m, Ring: token.NewRing(), TokenTTL: time.Hour, Now: c.Now}
	for _, f := range change {
		f(&cfg)
	}
	return node{keys.NewRotator(cfg), cfg.Ring}
}

func algs(list ...token.Alg) func(*keys.RotatorConfig) {
	return func(c *keys.RotatorConfig) { c.Algs = list }
}

func newMaster(t testing.TB) keys.Master {
	t.Helper()
	m, err := keys.NewMaster()
	must(t, err)
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (n node) load(t testing.TB) {
	t.Helper()
	must(t, n.Load(t.Context()))
}

func (n node) sign(t testing.TB, alg token.Alg, now time.Time, ttl time.Duration) string {
	t.Helper()
	raw, err := n.ring.Sign("at+jwt", token.Claims{
		Issuer: "iss", Audience: []string{"aud"}, IssuedAt: now.Truncate(time.Second), Expires: now.Add(ttl),
	}, alg, now)
	must(t, err)
	return raw
}

func expect(alg token.Alg) token.Expect {
	return token.Expect{Issuer: "iss", Audience: "aud", Type: "at+jwt", Algs: []token.Alg{alg}}
}

func signing(list []token.Key, alg token.Alg, now time.Time) (out []token.Key) {
	for _, k := range list {
		if k.Alg == alg && !now.Before(k.Sign) && (k.Retire.IsZero() || now.Before(k.Retire)) {
			out = append(out, k)
		}
	}
	return out
}

func list(t testing.TB, n node) []token.Key {
	t.Helper()
	all, err := n.List(t.Context())
	must(t, err)
	return all
}

func TestFirstKeySignsAtOnce(t *testing.T) {
	t.Parallel()
	c := &clock{now: start}
	for _, alg := range []token.Alg{token.ES256, token.EdDSA, token.RS256, token.PS256, token.HS256} {
		n := newNode(newRegistry(), newMaster(t), c, algs(alg))
		n.load(t)
		raw := n.sign(t, alg, start, time.Minute)
		if _, err := n.ring.Verify(raw, expect(alg), start); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if all := list(t, n); len(all) != 1 {
			t.Errorf("%s: %d keys", alg, len(all))
		}
	}
}

func TestKeysSurviveARestart(t *testing.T) {
	t.Parallel()
	s, m, c := newRegistry(), newMaster(t), &clock{now: start}
	before := newNode(s, m, c, algs(token.ES256, token.HS256))
	before.load(t)
	after := newNode(s, m, c, algs(token.ES256, token.HS256))
	after.load(t)
	for _, alg := range []token.Alg{token.ES256, token.HS256} {
		if _, err := after.ring.Verify(before.sign(t, alg, start, time.Minute), expect(alg), start); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	if bytes.Contains(after.ring.JWKS(start), []byte("HS256")) {
		t.Error("an HS256 key is published")
	}
}

func TestPrivateKeysAreSealed(t *testing.T) {
	t.Parallel()
	s, c := newRegistry(), &clock{now: start}
	n := newNode(s, newMaster(t), c)
	n.load(t)
	der, err := list(t, n)[0].MarshalPrivate()
	must(t, err)
	rec, err := s.Get(t.Context(), "signing-key", "ES256-00000001")
	must(t, err)
	if bytes.Contains(rec.Data, der[:16]) || bytes.Contains(rec.Data, []byte("kid")) {
		t.Error("the record can be read")
	}
	stranger := newNode(s, newMaster(t), c)
	if err := stranger.Load(t.Context()); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("another master key: %v", err)
	}
	rec.ID = "ES256-00000002" // moved to another row
	rec.Version = 0
	must(t, s.Put(t.Context(), rec))
	if err := n.Load(t.Context()); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("moved record: %v", err)
	}
	n.sign(t, token.ES256, start, time.Minute) // the ring is as it was
}

// signed is a token with what a verifier with the oldest key set allowed had in its cache.
type signed struct {
	raw     string
	expires time.Time
	old     *token.Ring
}

func TestAMonthOfTicks(t *testing.T) {
	t.Parallel()
	const step, ahead, ttl = 7 * time.Minute, 15 * time.Minute, time.Hour
	c := &clock{now: start}
	n := newNode(newRegistry(), newMaster(t), c, algs(token.EdDSA))
	var published []*token.Ring
	var tokens []signed
	signers := make(map[string]bool)
	for range int(30 * 24 * time.Hour / step) {
		_, err := n.Tick(t.Context())
		must(t, err)
		now := c.Now()
		all := list(t, n)
		if len(all) > 3 {
			t.Fatalf("%s: %d keys", now, len(all))
		}
		now1 := signing(all, token.EdDSA, now)
		if len(now1) != 1 {
			t.Fatalf("%s: %d keys sign", now, len(now1))
		}
		signers[now1[0].ID] = true
		published = append(published, cached(t, n.ring.JWKS(now)))
		oldest := published[max(0, len(published)-1-int(ahead/step))]
		tokens = append(tokens, signed{n.sign(t, token.EdDSA, now, ttl), now.Add(ttl), oldest})
		tokens = verifyAll(t, n, tokens, now, step)
		c.advance(step)
	}
	if len(signers) != 30 && len(signers) != 31 {
		t.Errorf("%d keys signed in a month", len(signers))
	}
}

func cached(t testing.TB, jwks []byte) *token.Ring {
	t.Helper()
	public, err := token.ParseJWKS(jwks)
	must(t, err)
	ring := token.NewRing()
	must(t, ring.Set(public))
	return ring
}

// verifyAll verifies the newest token at the issuer and with the old key set of its time, and each token just before it
// expires with the key set of today.
func verifyAll(t *testing.T, n node, tokens []signed, now time.Time, step time.Duration) (living []signed) {
	t.Helper()
	newest := tokens[len(tokens)-1]
	rings := []*token.Ring{newest.old, n.ring}
	for _, s := range tokens {
		if now.Add(step).Before(s.expires) {
			living = append(living, s)
			continue
		}
		if _, err := cached(t, n.ring.JWKS(now)).Verify(s.raw, expect(token.EdDSA), s.expires.Add(-1)); err != nil {
			t.Fatalf("%s: a token that lives until %s: %v", now, s.expires, err)
		}
	}
	for _, ring := range rings {
		if _, err := ring.Verify(newest.raw, expect(token.EdDSA), now); err != nil {
			t.Fatalf("%s: a new token: %v", now, err)
		}
	}
	return living
}

func TestTickTellsChanges(t *testing.T) {
	t.Parallel()
	c := &clock{now: start}
	n := newNode(newRegistry(), newMaster(t), c)
	steps := []struct {
		name    string
		advance time.Duration
		changed bool
		keys    int
	}{
		{"first key", 0, true, 1},
		{"nothing to do", time.Hour, false, 1},
		{"next one published", 23*time.Hour - 10*time.Minute, true, 2},
		{"next one signs", 20 * time.Minute, false, 2},
		{"token lifetime not yet over", time.Hour - 15*time.Minute, false, 2},
		{"old one dropped", 20 * time.Minute, true, 1},
		{"down for a week", 7 * 24 * time.Hour, true, 2},
	}
	for _, s := range steps {
		c.advance(s.advance)
		changed, err := n.Tick(t.Context())
		must(t, err)
		if got := len(list(t, n)); changed != s.changed || got != s.keys {
			t.Errorf("%s: changed %v, %d keys", s.name, changed, got)
		}
		n.sign(t, token.ES256, c.Now(), time.Minute)
	}
}

func TestNodesRacing(t *testing.T) {
	t.Parallel()
	s, m, c := newRegistry(), newMaster(t), &clock{now: start}
	nodes := make([]node, 8)
	for i := range nodes {
		nodes[i] = newNode(s, m, c, algs(token.ES256, token.EdDSA))
	}
	for day := range 4 {
		var wg sync.WaitGroup
		for _, n := range nodes {
			wg.Go(func() {
				if err := n.Load(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		want := 4 // current and previous or next of both algorithms
		if day == 0 {
			want = 2
		}
		for _, n := range nodes {
			n.load(t)
			if !bytes.Equal(n.ring.JWKS(c.Now()), nodes[0].ring.JWKS(c.Now())) || len(list(t, n)) != want {
				t.Fatalf("day %d: nodes differ, or %d keys are not %d", day, len(list(t, n)), want)
			}
		}
		c.advance(24*time.Hour + 10*time.Minute)
	}
}

func TestSlowClockMakesNoKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	s, m := newRegistry(), newMaster(t)
	newNode(s, m, &clock{now: start}).load(t)
	slow := newNode(s, m, &clock{now: start.Add(-time.Minute)})
	slow.load(t)
	if got := len(list(t, slow)); got != 1 {
		t.Errorf("%d keys", got)
	}
	slow.sign(t, token.ES256, start.Add(-time.Minute), time.Minute)
}

func TestRotate(t *testing.T) {
	t.Parallel()
	c := &clock{now: start}
	n := newNode(newRegistry(), newMaster(t), c)
	n.load(t)
	first := list(t, n)[0]
	made, err := n.Rotate(t.Context())
	must(t, err)
	if made.ID == first.ID || !made.Publish.Equal(start) || !made.Sign.Equal(start.Add(15*time.Minute)) {
		t.Errorf("made %v: published %s, signs %s", made, made.Publish, made.Sign)
	}
	if !bytes.Contains(n.ring.JWKS(start), []byte(made.ID)) {
		t.Error("it is not published at once")
	}
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, first.ID}, {15*time.Minute - 1, first.ID}, {15 * time.Minute, made.ID}} {
		if got := signing(list(t, n), token.ES256, start.Add(step.after)); len(got) != 1 || got[0].ID != step.want {
			t.Errorf("after %s: %v sign", step.after, got)
		}
	}
}

func TestRotateIsBounded(t *testing.T) {
	t.Parallel()
	c := &clock{now: start}
	n := newNode(newRegistry(), newMaster(t), c)
	var err error
	made := 0
	for ; err == nil && made < 100; made++ {
		_, err = n.Rotate(t.Context())
	}
	if err == nil || len(list(t, n)) != 32 {
		t.Errorf("%d rotations, %d keys: %v", made, len(list(t, n)), err)
	}
	c.advance(48 * time.Hour)
	n.load(t)
	n.load(t)
	if got := len(list(t, n)); got > 2 {
		t.Errorf("%d keys are left", got)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	c := &clock{now: start}
	n := newNode(newRegistry(), newMaster(t), c)
	n.load(t)
	c.advance(24 * time.Hour)
	n.load(t) // two keys: the first still published
	c.advance(20 * time.Minute)
	all := list(t, n)
	current := signing(all, token.ES256, c.Now())[0]
	raw := n.sign(t, token.ES256, c.Now(), time.Minute)
	must(t, n.Revoke(t.Context(), current.ID))
	must(t, n.Revoke(t.Context(), current.ID))
	if _, err := n.ring.Verify(raw, expect(token.ES256), c.Now()); !errors.Is(err, token.ErrKey) {
		t.Errorf("a token of the revoked key: %v", err)
	}
	if bytes.Contains(n.ring.JWKS(c.Now()), []byte(current.ID)) {
		t.Error("the revoked key is published")
	}
	next := signing(list(t, n), token.ES256, c.Now())
	if len(next) != 1 || next[0].ID == all[0].ID || next[0].ID == current.ID {
		t.Errorf("%v sign, none of which may be the old ones", next)
	}
	n.sign(t, token.ES256, c.Now(), time.Minute)
	if err := n.Revoke(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown key: %v", err)
	}
}

func TestR21_RevokeAll(t *testing.T) {
	t.Parallel()
	c := &clock{now: start}
	n := newNode(newRegistry(), newMaster(t), c, algs(token.ES256, token.EdDSA))
	n.load(t)
	pending, err := n.Rotate(t.Context())
	must(t, err)
	old := list(t, n)
	for _, k := range old {
		must(t, n.Revoke(t.Context(), k.ID))
	}
	for _, k := range old {
		if bytes.Contains(n.ring.JWKS(c.Now().Add(time.Hour)), []byte(k.ID)) {
			t.Errorf("%v is published", k)
		}
	}
	n.sign(t, token.ES256, c.Now(), time.Minute)
	n.sign(t, token.EdDSA, c.Now(), time.Minute)
	for _, k := range list(t, n) {
		if k.ID == pending.ID {
			t.Error("the pending key came back")
		}
	}
}

func TestAlgorithmIsGivenUp(t *testing.T) {
	t.Parallel()
	s, m, c := newRegistry(), newMaster(t), &clock{now: start}
	newNode(s, m, c, algs(token.ES256, token.EdDSA)).load(t)
	n := newNode(s, m, c, algs(token.ES256))
	n.load(t)
	if len(list(t, n)) != 2 {
		t.Error("the key of the old algorithm is gone while its tokens live")
	}
	c.advance(26 * time.Hour)
	n.load(t)
	n.load(t)
	for _, k := range list(t, n) {
		if k.Alg == token.EdDSA {
			t.Error("the key of the old algorithm stays for ever")
		}
	}
}

func TestRingsAreApart(t *testing.T) {
	t.Parallel()
	s, m, c := newRegistry(), newMaster(t), &clock{now: start}
	tokens, feed := newNode(s, m, c), newNode(s, m, c, func(c *keys.RotatorConfig) { c.RecordKind = "feed-key" })
	tokens.load(t)
	feed.load(t)
	raw := feed.sign(t, token.ES256, start, time.Minute)
	if _, err := tokens.ring.Verify(raw, expect(token.ES256), start); !errors.Is(err, token.ErrKey) {
		t.Errorf("R24: a feed key verifies at the token ring: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*keys.RotatorConfig){
		"no store":        func(c *keys.RotatorConfig) { c.Store = nil },
		"no ring":         func(c *keys.RotatorConfig) { c.Ring = nil },
		"no master":       func(c *keys.RotatorConfig) { c.Master = keys.Master{} },
		"negative time":   func(c *keys.RotatorConfig) { c.Ahead = -1 },
		"unknown alg":     algs("none"),
		"alg named twice": algs(token.ES256, token.ES256),
	} {
		n := newNode(newRegistry(), newMaster(t), &clock{now: start}, change)
		if err := n.Load(t.Context()); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
