package dbtest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

// Both is a store that keeps sessions, too.
type Both interface {
	store.Store
	store.Volatile
}

// Rates measures rotations and session reads.
func Rates(b *testing.B, s Both) {
	now := time.Now()
	for _, callers := range []int{1, 16} {
		ids := make([]string, callers)
		for i := range ids {
			ids[i] = ID()
			u := store.User{ID: ID(), Epoch: 1}
			g := store.Grant{ID: ids[i], UserID: u.ID, ClientID: store.FirstParty, Epoch: 1, Generation: 1, ExpiresAt: now.Add(time.Hour)}
			if err := s.Users().Create(b.Context(), u); err != nil {
				b.Fatal(err)
			}
			if err := s.Grants().Create(b.Context(), g); err != nil {
				b.Fatal(err)
			}
		}
		from := make([]int64, callers)
		b.Run(fmt.Sprintf("rotate/callers=%d", callers), func(b *testing.B) {
			each(b, callers, func(i int) error {
				from[i]++
				return s.Grants().Rotate(b.Context(), store.Rotation{ID: ids[i], From: from[i], At: now, ExpiresAt: now.Add(time.Hour)})
			})
		})
		one := store.Session{ID: ID(), UserID: ID(), Hash: [32]byte{byte(callers)}, IdleAt: now, ExpiresAt: now}
		if err := s.Sessions().Put(b.Context(), one); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("session/callers=%d", callers), func(b *testing.B) {
			each(b, callers, func(int) error {
				_, err := s.Sessions().ByHash(b.Context(), one.Hash)
				return err
			})
		})
	}
}

func each(b *testing.B, callers int, call func(i int) error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				if err := call(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

// Fill stores people with a session and a grant each, as a sign-in leaves them.
func Fill(t testing.TB, s Both, people int) {
	t.Helper()
	now := time.Now()
	work, group := make(chan int), sync.WaitGroup{}
	for range 8 {
		group.Go(func() {
			for i := range work {
				at := now.Add(time.Duration(i) * time.Millisecond)
				u, session := ID(), store.Session{
					ID: ID(), UserID: "", AMR: []string{"pwd"}, AuthAt: at, CreatedAt: at, LastSeenAt: at, IdleAt: at.Add(168 * time.Hour),
					ExpiresAt: at.Add(720 * time.Hour), UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
				}
				session.UserID = u
				copy(session.Hash[:], session.ID)
				err := s.Sessions().Put(t.Context(), session)
				if err == nil {
					err = s.Grants().Create(t.Context(), store.Grant{
						ID: ID(), UserID: u, SessionID: session.ID, ClientID: store.FirstParty, Delivery: store.DeliverBody, Epoch: 1, Generation: 1,
						RotatedAt: at, ExpiresAt: at.Add(168 * time.Hour), EndsAt: at.Add(720 * time.Hour), CreatedAt: at,
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range people {
		work <- i
	}
	close(work)
	group.Wait()
}
