package sqlite_test

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/sqlite"
)

// version7 is a UUIDv7 (RFC 9562 §5.7).
func version7(at time.Time) string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	ms := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli()))
	copy(b[:6], ms[2:])
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// begin creates people with a grant each and returns the grants' IDs.
func begin(t testing.TB, s *sqlite.Store, n int) []string {
	t.Helper()
	ids, now := make([]string, n), time.Now()
	err := s.Do(t.Context(), func(tx store.Tx) error {
		for i := range ids {
			at := now.Add(time.Duration(i) * 50 * time.Millisecond)
			ids[i] = version7(at)
			var random [8]byte
			rand.Read(random[:])
			joined := now.Add(-time.Duration(binary.BigEndian.Uint64(random[:]) % uint64(1000*time.Hour)))
			u := store.User{ID: version7(joined), Epoch: 1}
			g := store.Grant{
				ID: ids[i], UserID: u.ID, SessionID: version7(at), ClientID: store.FirstParty, Delivery: store.DeliverBody,
				Epoch: 1, Generation: 1, RotatedAt: at, ExpiresAt: at.Add(168 * time.Hour), EndsAt: at.Add(720 * time.Hour),
				CreatedAt: at,
			}
			if err := tx.Users().Create(t.Context(), u); err != nil {
				return err
			}
			if err := tx.Grants().Create(t.Context(), g); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestGrantSize(t *testing.T) {
	t.Parallel()
	const rows, most = 20_000, 200
	s := open(t, filepath.Join(t.TempDir(), "db"))
	begin(t, s, rows)
	size, err := s.Number(t.Context(), `SELECT SUM(pgsize) FROM dbstat WHERE name LIKE '%grants%'`)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a grant with its index entries takes %d bytes", size/rows)
	if size/rows > most {
		t.Errorf("that is more than %d", most)
	}
}

func TestRotationAddsNoRows(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "db"))
	id := begin(t, s, 1)[0]
	count := func() (n int64) {
		for _, table := range []string{"users", "grants", "tickets", "log", "events", "messages", "registry", "sessions", "counters"} {
			rows, err := s.Number(t.Context(), `SELECT COUNT(*) FROM `+table)
			if err != nil {
				t.Fatal(err)
			}
			n += rows
		}
		return n
	}
	before := count()
	for i := range int64(1000) {
		if err := rotate(t, s, id, i+1); err != nil {
			t.Fatal(err)
		}
	}
	if after := count(); after != before {
		t.Errorf("%d rows became %d", before, after)
	}
}

func rotate(t testing.TB, s *sqlite.Store, id string, from int64) error {
	now := time.Now()
	return s.Grants().Rotate(t.Context(), store.Rotation{ID: id, From: from, At: now, ExpiresAt: now.Add(168 * time.Hour)})
}

func BenchmarkRotate(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "db"))
			ids := begin(b, s, callers)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var group sync.WaitGroup
			for _, id := range ids {
				group.Go(func() {
					for from := int64(1); left.Add(-1) >= 0; from++ {
						if err := rotate(b, s, id, from); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			b.StopTimer()
			if n, err := s.Number(b.Context(), `SELECT SUM(generation - 1) FROM grants`); err != nil || n != int64(b.N) {
				b.Fatalf("%d rotations are stored, want %d (error %v)", n, b.N, err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rotations/s")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "db")
	open(b, path)
	for b.Loop() {
		s, err := sqlite.Open(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
