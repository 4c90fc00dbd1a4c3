package daemon

import (
	"errors"
	"fmt"
	"time"

	"github.com/ostiary/ostiary/internal/phc"
	"github.com/ostiary/ostiary/method/password"
)

type hashCommand struct {
	Tune hashTune `cmd:"" help:"Measure this machine, and print parameters with which a hash takes 250 to 500 ms."`
}

type hashTune struct{}

// tuned is a parameter that was measured.
type tuned struct {
	Hash   string `json:"password_hash"`
	Millis int64  `json:"milliseconds"` // of one hash
	Memory int64  `json:"memory_mib"`   // of all hashes at a time
}

// The range of a good hash: long enough to hurt who guesses, short enough for who signs in.
const (
	leastHash = 250 * time.Millisecond
	mostHash  = 500 * time.Millisecond
)

func (hashTune) Run(a *app) error {
	found := list[tuned]{Items: []tuned{}}
	for _, ladder := range [][]string{argonLadder(), bcryptLadder()} {
		best, err := climb(a, ladder)
		if err != nil {
			return err
		}
		found.Items = append(found.Items, best)
	}
	if a.json {
		return a.print(found)
	}
	for _, t := range found.Items {
		a.say("--password-hash %s   # %d ms, at most %d MiB for all hashes at a time", t.Hash, t.Millis, t.Memory)
	}
	return nil
}

// argonLadder rises in cost: memory first, which is what hurts a guesser most, then passes.
func argonLadder() []string {
	steps := []string{"argon2id:m=19456,t=2,p=1", "argon2id:m=47104,t=1,p=1", "argon2id:m=65536,t=1,p=1", "argon2id:m=65536,t=2,p=1"}
	for t := 3; t <= 16; t++ {
		steps = append(steps, fmt.Sprintf("argon2id:m=65536,t=%d,p=1", t))
	}
	return steps
}

func bcryptLadder() []string {
	var steps []string
	for cost := 10; cost <= 16; cost++ {
		steps = append(steps, fmt.Sprintf("bcrypt:cost=%d", cost))
	}
	return steps
}

// climb returns the first step that takes long enough, or the one before it if that one takes too long.
func climb(a *app, ladder []string) (best tuned, err error) {
	for _, step := range ladder {
		if err := a.Err(); err != nil {
			return best, errors.New("stopped")
		}
		this, took, err := measure(step)
		if err != nil {
			return best, err
		}
		if took > mostHash && best.Hash != "" {
			return best, nil
		}
		best = this
		if took >= leastHash {
			return best, nil
		}
	}
	return best, nil
}

// measure takes the fastest of three, which is the one that nothing else disturbed.
func measure(step string) (tuned, time.Duration, error) {
	p, err := phc.ParseParams(step)
	if err != nil {
		return tuned{}, 0, err
	}
	fastest := time.Hour
	for range 3 {
		start := time.Now()
		if _, err := p.Hash([]byte("a password of usual length")); err != nil {
			return tuned{}, 0, err
		}
		fastest = min(fastest, time.Since(start))
	}
	memory := max(1, p.Memory()*int64(password.Permits(p.Memory()))>>20)
	return tuned{step, fastest.Milliseconds(), memory}, fastest, nil
}
