package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/sqlite"
)

// refreshes measures rotation over HTTP against durable rotations of the store alone, without HTTP and without signing.
func refreshes(s settings) error {
	w, err := startChild()
	if err != nil {
		return err
	}
	defer w.close()
	rows := map[int][3]*series{}
	for _, n := range []int{1, families} {
		rows[n] = [3]*series{{name: "store only"}, {name: "POST /api/v1/refresh"}, {name: "bare POST handler"}}
	}
	tokens := append([]string(nil), w.Families...)
	for range s.rounds {
		for n, r := range rows {
			got, err := storeOnly(w.dir, n, s.each)
			if err != nil {
				return err
			}
			r[0].add(got)
			if got, err = chains(w.Engine, n, s.each, func(i int) step { return refreshStep(w.Engine, &tokens[i]) }); err != nil {
				return err
			}
			r[1].add(got)
			raw := post(w.Bare, "/", `{"refresh_token":"`+tokens[0]+`"}`)
			if got, err = rate(w.Bare, raw, n, s.each, http.StatusOK); err != nil {
				return err
			}
			r[2].add(got)
		}
	}
	for n, aim := range map[int]float64{1: 0.8, families: 0.5} {
		fmt.Printf("%d famil%s side by side:\n\n", n, map[bool]string{true: "y", false: "ies"}[n == 1])
		printRatios("rotations/s", map[string]float64{"POST /api/v1/refresh": aim}, rows[n][0], rows[n][1], rows[n][2])
		fmt.Println()
	}
	return nil
}

func refreshStep(host string, token *string) step {
	return func(c *conn) error {
		status, body, err := c.roundTrip(post(host, "/api/v1/refresh", `{"refresh_token":"`+*token+`"}`))
		if err != nil {
			return err
		}
		var pair struct {
			RefreshToken string `json:"refresh_token"`
		}
		if status != http.StatusOK {
			return fmt.Errorf("got %d: %s", status, body)
		}
		if err := json.Unmarshal(body, &pair); err != nil {
			return err
		}
		*token = pair.RefreshToken
		return nil
	}
}

// storeOnly is the ceiling: durable rotations a second of n families, in a database of its own on the same disk.
func storeOnly(dir string, n int, d time.Duration) (float64, error) {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "ceiling.db"))
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var group sync.WaitGroup
	var mu sync.Mutex
	total, start := 0, time.Now()
	var failed error
	for range n {
		group.Go(func() {
			count, err := rotateUntil(ctx, db, start.Add(d))
			mu.Lock()
			defer mu.Unlock()
			total += count
			if err != nil {
				failed = err
			}
		})
	}
	group.Wait()
	return float64(total) / time.Since(start).Seconds(), failed
}

func rotateUntil(ctx context.Context, db store.Store, until time.Time) (int, error) {
	now := time.Now()
	g := store.Grant{ID: randomID(), UserID: randomID(), ClientID: store.FirstParty, Delivery: store.DeliverBody, Epoch: 1, Generation: 1, RotatedAt: now, ExpiresAt: now.Add(time.Hour), EndsAt: now.Add(time.Hour), CreatedAt: now}
	if err := db.Users().Create(ctx, store.User{ID: g.UserID, Status: store.Active, Epoch: 1, CreatedAt: now, UpdatedAt: now}); err != nil {
		return 0, err
	}
	if err := db.Grants().Create(ctx, g); err != nil {
		return 0, err
	}
	n := 0
	for time.Now().Before(until) {
		at := time.Now()
		if err := db.Grants().Rotate(ctx, store.Rotation{ID: g.ID, From: g.Generation, At: at, ExpiresAt: at.Add(time.Hour)}); err != nil {
			return n, err
		}
		g.Generation++
		n++
	}
	return n, nil
}

func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
