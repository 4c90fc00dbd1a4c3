package passkey_test

import (
	"encoding/json"
	"testing"

	"github.com/ostiary/ostiary/method/passkey"
)

// FuzzParse throws bytes at what reads the answers of browsers: it must refuse, and never fall over.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`"{\"id\":\"AA\"}"`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if id, err := passkey.ParseCreated(json.RawMessage(raw)); err == nil && len(id) == 0 {
			t.Error("a passkey without an id")
		}
		if id, err := passkey.ParseUsed(json.RawMessage(raw)); err == nil && len(id) == 0 {
			t.Error("a passkey without an id")
		}
	})
}
