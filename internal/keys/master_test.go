package keys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/keys"
)

// What the master key 00 01 … 1f gives, computed by another implementation: it must never change.
const (
	pinnedMaster = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	pinnedID     = "0d6c4a39"
	pinnedKey    = "e17aa8e8695d59769934c04fc73713fcd3235aabf08151a6d92342cc55882d9c"
	pinnedSealed = "010d6c4a39d2929ec7b97ca36cf09c84a565a897a2bcb20b30ce607d0575dbf69d9df0db025e"
)

func parse(t testing.TB, text string) keys.Master {
	t.Helper()
	m, err := keys.ParseMaster([]byte(text))
	must(t, err)
	return m
}

func TestSealOpens(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	for _, plain := range []string{"", "x", strings.Repeat("secret", 1000)} {
		sealed := m.Seal("credentials/data/1", []byte(plain))
		got, err := m.Open("credentials/data/1", sealed)
		if err != nil || string(got) != plain {
			t.Errorf("%d bytes: %v", len(plain), err)
		}
		if plain != "" && bytes.Contains(sealed, []byte("secret")) {
			t.Error("the plain text can be read")
		}
		if bytes.Equal(sealed, m.Seal("credentials/data/1", []byte(plain))) {
			t.Error("sealing twice gives the same")
		}
	}
}

func TestSealedRefused(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	sealed := m.Seal("users/data/1", []byte("plain"))
	refused := map[string][]byte{"nothing": nil, "longer": append(slices.Clone(sealed), 0), "plain": []byte("plain text of some length")}
	for i := range sealed {
		refused[fmt.Sprintf("cut at %d", i)] = sealed[:i]
		for bit := range 8 {
			changed := slices.Clone(sealed)
			changed[i] ^= 1 << bit
			refused[fmt.Sprintf("bit %d of byte %d", bit, i)] = changed
		}
	}
	for name, data := range refused {
		if _, err := m.Open("users/data/1", data); !errors.Is(err, keys.ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, place := range []string{"", "users/data/2", "users/data/1 ", "users/data/"} {
		if _, err := m.Open(place, sealed); !errors.Is(err, keys.ErrSealed) {
			t.Errorf("moved to %q: %v", place, err)
		}
	}
	for name, other := range map[string]keys.Master{"another master key": newMaster(t), "no master key": {}} {
		if _, err := other.Open("users/data/1", sealed); !errors.Is(err, keys.ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMasterRotation(t *testing.T) {
	t.Parallel()
	old := newMaster(t)
	sealed, mac := old.Seal("p", []byte("plain")), old.MAC("tickets", []byte("code"))
	m := parse(t, string(newMaster(t).Text())+string(old.Text()))
	if m.ID() == old.ID() || !slices.Contains(m.IDs(), old.ID()) {
		t.Errorf("current %s of %v", m.ID(), m.IDs())
	}
	if got, err := m.Open("p", sealed); err != nil || string(got) != "plain" {
		t.Errorf("what the old key sealed: %v", err)
	}
	if _, err := old.Open("p", m.Seal("p", nil)); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("new data is still sealed under the old key: %v", err)
	}
	macs := m.MACs("tickets", []byte("code"))
	if len(macs) != 2 || macs[0] != m.MAC("tickets", []byte("code")) || macs[1] != mac || macs[0] == mac {
		t.Error("the old MAC is not found after the current one")
	}
}

func TestDerive(t *testing.T) {
	t.Parallel()
	m := parse(t, pinnedMaster)
	got, ok := m.Derive(m.ID(), "ostiary refresh v1")
	if !ok || hex.EncodeToString(got[:]) != pinnedKey || m.ID().String() != pinnedID {
		t.Errorf("derived %x for %s", got, m.ID())
	}
	if again, _ := m.Derive(m.ID(), "ostiary refresh v1"); again != got {
		t.Error("derived something else the second time")
	}
	if other, _ := m.Derive(m.ID(), "ostiary refresh v2"); other == got {
		t.Error("two purposes have one key")
	}
	if _, ok := m.Derive(keys.KeyID{}, "ostiary refresh v1"); ok {
		t.Error("an unknown key ID derives")
	}
	if m.MAC("a", []byte("x")) == m.MAC("b", []byte("x")) {
		t.Error("two purposes have one MAC")
	}
}

func TestPinnedSealOpens(t *testing.T) {
	t.Parallel()
	m := parse(t, pinnedMaster)
	sealed, err := hex.DecodeString(pinnedSealed)
	must(t, err)
	if plain, err := m.Open("table/column/row", sealed); err != nil || string(plain) != "plain" {
		t.Errorf("data of an earlier version: %q, %v", plain, err)
	}
}

func TestParseMaster(t *testing.T) {
	t.Parallel()
	a, b := newMaster(t), newMaster(t)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(string(a.Text())))
	must(t, err)
	text := "# the keys\r\n\r\n  " + strings.ToUpper(hex.EncodeToString(raw)) + "\t\r\n#old\n" + strings.TrimSpace(string(b.Text())) + "="
	if diff := cmp.Diff([]keys.KeyID{a.ID(), b.ID()}, parse(t, text).IDs()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(a.IDs(), parse(t, string(a.Text())).IDs()); diff != "" {
		t.Error(diff)
	}
}

func TestParseMasterRefuses(t *testing.T) {
	t.Parallel()
	key := string(newMaster(t).Text())
	many := ""
	for range 17 {
		many += string(newMaster(t).Text())
	}
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "no key"},
		{"comments only", "# a\n\n", "no key"},
		{"garbage", key + "hunter2 is the secret\n", "line 2"},
		{"torn", "\n" + key[:20], "line 2: a key has 32 bytes, this has 15"},
		{"too long", strings.TrimSpace(key) + "AAAA", "line 1"},
		{"bad hex", strings.Repeat("zz", 32), "line 1"},
		{"twice", key + "#\n" + key, "line 3: this key was there before"},
		{"zeros", strings.Repeat("00", 32), "not a random key"},
		{"binary", "\x00\xff\x01", "line 1"},
		{"seventeen", many, "line 17: more than 16"},
		{"huge", strings.Repeat("#\n", 1<<15), "larger than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := keys.ParseMaster([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), strings.TrimSpace(key)) {
				t.Error("the error repeats the line")
			}
		})
	}
}

func TestMasterShowsNothing(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	secret := strings.TrimSpace(string(m.Text()))
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	must(t, err)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "master", m, "in", struct{ M keys.Master }{m})
	shown := []string{log.String(), fmt.Sprint(m), m.String(), m.GoString()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, m), fmt.Sprintf(verb, &m), fmt.Sprintf(verb, struct{ M keys.Master }{m}))
	}
	for _, s := range shown {
		for _, form := range []string{secret, hex.EncodeToString(raw), strings.Trim(fmt.Sprint(raw), "[]"), string(raw)} {
			if strings.Contains(strings.ToLower(s), strings.ToLower(form)) {
				t.Errorf("shown: %s", s)
			}
		}
	}
	if _, err := json.Marshal(m); err == nil {
		t.Error("it can be marshalled")
	}
}

func FuzzParseMaster(f *testing.F) {
	f.Add([]byte("# key\n000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"))
	f.Add([]byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := keys.ParseMaster(text)
		if err != nil {
			return
		}
		again, err := keys.ParseMaster(m.Text())
		if err != nil || !slices.Equal(m.IDs(), again.IDs()) {
			t.Fatalf("it does not read its own text: %v", err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	m := newMaster(f)
	f.Add("p", m.Seal("p", []byte("plain")))
	f.Add("", []byte{1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, place string, data []byte) {
		if _, err := m.Open(place, data); err != nil && !errors.Is(err, keys.ErrSealed) {
			t.Fatal(err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	m, plain := newMaster(b), make([]byte, 256)
	for b.Loop() {
		m.Seal("tickets/data/1", plain)
	}
}

func BenchmarkOpen(b *testing.B) {
	m := newMaster(b)
	sealed := m.Seal("tickets/data/1", make([]byte, 256))
	for b.Loop() {
		if _, err := m.Open("tickets/data/1", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMAC(b *testing.B) {
	m, data := newMaster(b), make([]byte, 64)
	for b.Loop() {
		m.MAC("ostiary ticket v1", data)
	}
}
