package passkey_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/method/passkey"
)

func TestCounters(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		stored, given uint32
		want          bool
	}{
		{"never counts", 0, 0, false},
		{"begins to count", 0, 1, false},
		{"grows", 4, 5, false},
		{"the same", 5, 5, true},
		{"goes back", 5, 4, true},
		{"ceases to count", 5, 0, false},
	} {
		if got := passkey.Regressed(test.stored, test.given); got != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
}

func TestDefaultNames(t *testing.T) {
	t.Parallel()
	for aaguid, want := range map[string]string{
		"fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "iCloud Keychain", "bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
		"2fc0579f-8113-47ea-b116-bb5a8db9202a": "YubiKey 5", "00000000-0000-0000-0000-000000000000": "Passkey", "": "Passkey",
	} {
		raw, err := hex.DecodeString(strings.ReplaceAll(aaguid, "-", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := passkey.DefaultName(raw); got != want {
			t.Errorf("%s: got %q, want %q", aaguid, got, want)
		}
	}
}
