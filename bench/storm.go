package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// storm kills the product with -9 in the middle of registrations, refreshes and revocations, starts it again, and asks:
// is every acknowledged change there, is every family usable by its owner, does nothing revoked live?
func storm(s settings) error {
	b, err := buildBinary()
	if err != nil {
		return err
	}
	defer b.close()
	w := &weather{b: b}
	for kill := range s.rounds {
		if _, err := b.start("--password-hash", "argon2id:m=19456,t=2,p=1"); err != nil {
			return err
		}
		if err := w.check(); err != nil {
			return fmt.Errorf("after kill %d: %w", kill, err)
		}
		done := make(chan struct{})
		var group sync.WaitGroup
		for range 6 {
			group.Go(func() { w.people(done) })
		}
		time.Sleep(time.Second + rand.N(2*s.each))
		b.kill()
		close(done)
		group.Wait()
	}
	if _, err := b.start(); err != nil {
		return err
	}
	defer b.kill()
	if err := w.check(); err != nil {
		return err
	}
	fmt.Printf("%d kills: %d acknowledged accounts, %d refresh families (%d rotations), %d acknowledged sign-outs: nothing lost, nothing came back\n",
		s.rounds, len(w.accounts), len(w.families), w.rotations, w.ended)
	return nil
}

// weather is what was acknowledged.
type weather struct {
	b *binary

	mu        sync.Mutex
	accounts  []string
	families  []*family
	rotations int
	ended     int
}

// family is one refresh token as its owner knows it. After a lost answer he presents the same one again.
type family struct {
	token string
	ended bool // the sign-out was acknowledged
	fuzzy bool // a sign-out was sent and its answer lost: either is right
}

// people registers somebody, refreshes for a while, signs some of them out, until the server is gone.
func (w *weather) people(done <-chan struct{}) {
	c, err := dial(w.b.addr)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		select {
		case <-done:
			return
		default:
		}
		f, err := w.register(c)
		if err != nil {
			return
		}
		for range rand.N(40) {
			if w.rotate(c, f) != nil {
				return
			}
		}
		if rand.N(3) == 0 && w.signOut(c, f) != nil {
			return
		}
	}
}

func (w *weather) register(c *conn) (*family, error) {
	email := fmt.Sprintf("storm-%d@example.com", rand.Int64())
	status, body, err := c.roundTrip(post(w.b.addr, "/api/v1/register", fmt.Sprintf(`{"email":%q,"password":%q,"delivery":"body"}`, email, benchPassword)))
	if err != nil || status == http.StatusServiceUnavailable {
		return &family{fuzzy: true}, err
	}
	token, err := refreshTokenOf(status, http.StatusCreated, body)
	if err != nil {
		return nil, err
	}
	f := &family{token: token}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accounts, w.families = append(w.accounts, email), append(w.families, f)
	return f, nil
}

func (w *weather) rotate(c *conn, f *family) error {
	if f.token == "" {
		return nil
	}
	status, body, err := c.roundTrip(post(w.b.addr, "/api/v1/refresh", `{"refresh_token":"`+f.token+`"}`))
	if err != nil {
		return err
	}
	token, err := refreshTokenOf(status, http.StatusOK, body)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f.token = token
	w.rotations++
	return nil
}

func (w *weather) signOut(c *conn, f *family) error {
	if f.token == "" {
		return nil
	}
	w.mu.Lock()
	f.fuzzy = true
	w.mu.Unlock()
	status, _, err := c.roundTrip(post(w.b.addr, "/api/v1/logout", `{"refresh_token":"`+f.token+`"}`))
	if err != nil || status != http.StatusNoContent {
		return fmt.Errorf("sign out: %d %w", status, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f.ended, f.fuzzy = true, false
	w.ended++
	return nil
}

func refreshTokenOf(status, want int, body []byte) (string, error) {
	var answer struct {
		RefreshToken string `json:"refresh_token"`
	}
	if status != want {
		return "", fmt.Errorf("got %d: %s", status, body)
	}
	return answer.RefreshToken, json.Unmarshal(body, &answer)
}

// check holds the server to everything that it acknowledged.
func (w *weather) check() error {
	if err := w.checkAccounts(); err != nil {
		return err
	}
	c, err := dial(w.b.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, f := range w.families {
		if f.fuzzy {
			continue
		}
		if f.ended {
			status, body, err := c.roundTrip(post(w.b.addr, "/api/v1/refresh", `{"refresh_token":"`+f.token+`"}`))
			if err != nil || status != http.StatusUnauthorized {
				return fmt.Errorf("an ended family lives: %d %s %w", status, body, err)
			}
			continue
		}
		if err := w.rotate(c, f); err != nil {
			return fmt.Errorf("a family cannot be used by its owner: %w", err)
		}
	}
	return nil
}

func (w *weather) checkAccounts() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	known := map[string]bool{}
	for cursor := ""; ; {
		args := []string{"users", "list", "--json", "--limit", "999"}
		if cursor != "" {
			args = append(args, "--cursor", cursor)
		}
		out, err := w.b.run(ctx, args...)
		if err != nil {
			return fmt.Errorf("users list: %w", err)
		}
		var list struct {
			Items      []struct{ Email string }
			NextCursor string `json:"next_cursor"`
		}
		if err := json.Unmarshal(out, &list); err != nil {
			return fmt.Errorf("users list: %w", err)
		}
		for _, u := range list.Items {
			known[u.Email] = true
		}
		if cursor = list.NextCursor; cursor == "" {
			break
		}
	}
	for _, email := range w.accounts {
		if !known[email] {
			return fmt.Errorf("the acknowledged account %s is gone", email)
		}
	}
	return nil
}
