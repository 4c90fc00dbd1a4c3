package ostiary

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/store"
)

// alarmQueue bounds how many alarms wait; what does not fit is forgotten, and raised again by the next attempt.
const alarmQueue = 256

// maxAccount is the longest name of an account that is kept in the queue, in bytes: more than any address has.
const maxAccount = 320

// rateTold is how often the owner of an account is told that strangers try to get in.
var rateTold = store.Rate{Burst: 1, Every: 24 * time.Hour}

// alarm is something that people are to be told of, after the answer and by the worker alone: so that the attacker who raises
// it learns nothing from the time it takes, and causes no second write (R37).
type alarm struct {
	account string // whose count of failures strangers have used up
	call    *Call  // of the last one
	spray   int    // or: at how many accounts a spray has failed
}

// bare is what may be kept of a call after its end.
func (c *Call) bare() *Call {
	return &Call{Source: c.Source, UserAgent: c.UserAgent, RequestID: c.RequestID, auth: c.auth}
}

// alarm queues, and never waits. What is too long for an address is nobody's account.
func (a *Auth) alarm(al alarm) {
	if len(al.account) > maxAccount {
		return
	}
	select {
	case a.alarms <- al:
	default:
	}
}

func (a *Auth) tellAlarms(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case al := <-a.alarms:
			if err := a.tell(ctx, al); err != nil && ctx.Err() == nil {
				a.log.Warn("an alarm could not be recorded", "error", err)
			}
		}
	}
}

func (a *Auth) tell(ctx context.Context, al alarm) error {
	if al.account == "" {
		return a.do(ctx, nil, func(t *Tx) error {
			return t.Emit(ctx, eventSpray, "", map[string]string{"accounts": strconv.Itoa(al.spray)})
		})
	}
	return a.tellOwner(ctx, al)
}

// tellOwner records that strangers try to get into an account, and mails its owner, if there is one, once a day.
func (a *Auth) tellOwner(ctx context.Context, al alarm) error {
	u, err := a.store.Users().ByEmail(ctx, al.account)
	if isNotFound(err) || err == nil && u.Status != store.Active {
		return nil
	}
	if err != nil {
		return fault("find user", err)
	}
	got, err := a.volatile.Counters().Take(ctx, a.counterKey(countTold, ownAccount(u.ID)), a.now(), rateTold)
	if err != nil {
		return fmt.Errorf("count alarms: %w", err)
	}
	if !got.OK {
		return nil
	}
	return a.do(ctx, al.call, func(t *Tx) error {
		if err := t.Mail(ctx, publicUser(u, false), "sign_in_attempts", map[string]string{"Link": a.issuer + "/account"}); err != nil {
			return err
		}
		return t.Emit(ctx, eventAttempts, u.ID, nil)
	})
}
