package redis

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ostiary/ostiary/store"
)

// FuzzDecode: what is stored comes from outside. Whatever is understood is written again as the same session.
func FuzzDecode(f *testing.F) {
	whole, err := encode(store.Session{
		ID: "0191a9e2-0000-7000-8000-000000000001", UserID: "0191a9e2-0000-7000-8000-000000000002", Epoch: 3, AMR: []string{"pwd", "otp"},
		AuthAt: time.UnixMicro(1), LastSeenAt: time.UnixMicro(2), ExpiresAt: time.UnixMicro(3), Source: netip.MustParseAddr("fe80::1%eth0"),
		UserAgent: "Mozilla/5.0 (ü)",
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range []int{0, 1, headSize - 1, headSize, headSize + 1, len(whole) - 1, len(whole)} {
		f.Add(whole[:n])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decode(b, [32]byte{1})
		if err != nil {
			return
		}
		again, err := encode(s)
		if err != nil {
			t.Fatal(err)
		}
		same, err := decode(again, [32]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, same, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Error(diff)
		}
	})
}
