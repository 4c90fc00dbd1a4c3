package password

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// The limits of estimates, which are CPU and nothing else.
const (
	estimateWait = 250 * time.Millisecond // for a place, before the answer is overloaded
	strongScore  = 3
	refusedScore = 1 // of a password that is refused, at most
)

// estimateRate lets somebody who types through, and nobody who wants the CPU.
func estimateRate() store.Rate { return store.Rate{Burst: 30, Every: time.Second} }

// estimators is how many estimates run at a time: half of the cores.
func estimators() chan struct{} { return make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)) }

type strengthInput struct {
	Password string `json:"password"`
	Email    string `json:"email,omitempty"`
	Name     string `json:"name,omitempty"`
}

// Strength is an estimate of a password that somebody types.
type Strength struct {
	Score      int    `json:"score"`          // 0 (guessed at once) to 4 (not guessed)
	Acceptable bool   `json:"acceptable"`     // the policy lets it through; stolen passwords are looked up only when it is set
	Code       string `json:"code,omitempty"` // of the Weakness when it is not acceptable
	Hint       string `json:"hint"`           // a sentence for people
}

// strength keeps nothing, logs nothing and asks nobody else.
func (m *Method) strength(ctx context.Context, _ *ostiary.Call, in *strengthInput) (Strength, error) {
	about := []string{in.Email, in.Name, m.kit.Product(), m.kit.Host()}
	normal, err := m.policy.Check(in.Password, about...)
	weak := new(Weakness)
	if err != nil && !errors.As(err, &weak) {
		return Strength{}, err
	}
	readable, tooLong := Normal(in.Password)
	if tooLong != nil {
		return Strength{Code: weak.Code, Hint: weak.Text}, nil
	}
	late := time.NewTimer(estimateWait)
	defer late.Stop()
	select {
	case m.estimators <- struct{}{}:
		defer func() { <-m.estimators }()
	case <-late.C:
		return Strength{}, errOverloaded.After(time.Second)
	case <-ctx.Done():
		return Strength{}, ctx.Err()
	}
	score, hint := estimate(readable, about)
	if normal == "" {
		return Strength{Score: min(score, refusedScore), Code: weak.Code, Hint: weak.Text}, nil
	}
	return Strength{Score: score, Acceptable: true, Hint: hint}, nil
}
