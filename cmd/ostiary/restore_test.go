package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// ostiary prepares a command as a process of its own.
func ostiary(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("ostiary", args...) // testscript puts the test binary there
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OSTIARY_PASSWORD_HASH=argon2id:m=7168,t=5,p=1")
	return cmd
}

func mustRun(t *testing.T, dir string, args ...string) {
	t.Helper()
	if out, err := ostiary(dir, args...).CombinedOutput(); err != nil {
		t.Fatalf("ostiary %v: %v: %s", args, err, out)
	}
}

// TestR21_RestoreKilled kills restores in each of their steps. What is there afterwards is the old database as it was, or the
// new one with nothing alive in it that should not be.
func TestR21_RestoreKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filepath.Join(dir, "ostiary-data", "ostiary.db")
	mustRun(t, dir, "users", "create", "--email", "ada@example.com")
	fill(t, db, "old")
	mustRun(t, dir, "backup", "kept")
	for _, step := range []string{"-restore", "-restore-wal", ".old", "-journal"} { // the file that shows how far it is
		t.Run(step, func(t *testing.T) {
			seen := map[string]int{}
			for round := range 4 {
				if err := os.Remove(db + ".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
				fill(t, db, "new")
				killAt(t, ostiary(dir, "restore", "kept", "--force"), db+step, time.Duration(round)*5*time.Millisecond)
				seen[state(t, db)]++
				mustRun(t, dir, "users", "show", "ada@example.com")
			}
			t.Logf("states after a kill: %v", seen)
			if seen["new false"] == 0 {
				t.Error("no restore was killed in time")
			}
		})
	}
	fill(t, db, "new")
	if err := os.Remove(db + ".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	mustRun(t, dir, "restore", "kept", "--force") // what was left behind is in nobody's way
	if got := state(t, db); got != "old true" {
		t.Errorf("in the end: %s", got)
	}
}

// killAt kills a program a moment after a file appeared, or lets it finish if that was sooner.
func killAt(t *testing.T, cmd *exec.Cmd, file string, moment time.Duration) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if _, err := os.Stat(file); err == nil {
			break
		}
	}
	select {
	case <-done:
	case <-time.After(moment):
		_ = cmd.Process.Kill()
		<-done
	}
}

// fill makes a database large enough for a restore to take its time, and marks which one it is.
func fill(t *testing.T, path, mark string) {
	t.Helper()
	statements := []string{
		`CREATE TABLE IF NOT EXISTS ballast (mark TEXT, data BLOB)`,
		`DELETE FROM ballast`,
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000)
			INSERT INTO ballast SELECT '%s', randomblob(4000) FROM n`, mark),
		`DELETE FROM events WHERE kind = 'store.restored'`,
	}
	db := openRaw(t, path)
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
}

// state says which database it is, and whether what must not come back has ended in it.
func state(t *testing.T, path string) string {
	t.Helper()
	db := openRaw(t, path)
	defer db.Close()
	var least, most, check string
	var rows int
	var restored bool
	if err := db.QueryRow(`SELECT MIN(mark), MAX(mark), COUNT(*) FROM ballast`).Scan(&least, &most, &rows); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(`SELECT COUNT(*) > 0 FROM events WHERE kind = 'store.restored'`).Scan(&restored); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Fatalf("integrity: %s, %v", check, err)
	}
	if least != most || rows != 2000 || (most == "old") != restored {
		t.Errorf("neither the old database nor the new one: %s to %s, %d rows, restored: %v", least, most, rows, restored)
	}
	return fmt.Sprint(most, " ", restored)
}

func openRaw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	return db
}
