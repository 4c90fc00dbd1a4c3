package phc

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Argon2 takes a secret and associated data in RFC 9106 §5.3's vector, which x/crypto does not offer; the vectors of the
// reference implementation stand in for it (TestVerifyOthers). Here the text form is held to be exact both ways.
func TestRFC9106_TextForm(t *testing.T) {
	t.Parallel()
	const encoded = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	h, err := parse(encoded)
	if err != nil {
		t.Fatal(err)
	}
	a := h.(argonHash)
	if diff := cmp.Diff("somesalt", string(a.salt)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(encoded, a.encode(a.salt, a.tag)); diff != "" {
		t.Error(diff)
	}
}

// Whatever is accepted stays within the limits, and an Argon2id string has one spelling.
func FuzzParse(f *testing.F) {
	for _, p := range []Params{Default(), {cost: 12}} {
		f.Add(Dummy(p))
	}
	f.Add("$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK")
	f.Add("$bcrypt-sha256$v=2,t=2b,r=5$5Hg1DKFqPE8C2aflZ5vVoe$wOK1VFFtS8IGTrGa7.h5fs0u84qyPbS")
	f.Fuzz(func(t *testing.T, encoded string) {
		h, err := parse(encoded)
		if err != nil {
			return
		}
		switch h := h.(type) {
		case argonHash:
			if h.memory < 8*uint32(h.lanes) || h.memory > maxMemory || h.time < 1 || h.time > maxTime || h.lanes < 1 || h.lanes > maxLanes {
				t.Errorf("accepted %+v", h.Params)
			}
			if h.encode(h.salt, h.tag) != encoded {
				t.Errorf("%q has a second spelling", encoded)
			}
		case bcryptHash:
			if h.cost < importCost || h.cost > maxCost || len(h.plain) != 60 {
				t.Errorf("accepted %+v", h)
			}
		}
	})
}
