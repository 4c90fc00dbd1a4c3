package ostiary

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ostiary/ostiary/store"
)

// RoleAdmin is the built-in role that may do everything, the console included.
const RoleAdmin = "admin"

// adminsRecord counts the active administrators. That it exists means that set-up is closed, for ever (R36); that its
// version changes with the count makes removals of administrators wait for each other (R31).
const (
	kindSetting  = "setting"
	adminsRecord = "admins"
)

// NewUser is somebody who is about to exist.
type NewUser struct {
	Email         string
	EmailVerified bool
	Name          string
	Picture       string
	Locale        string
}

// CreateUser adds a person. email_taken when the address has an account.
func (t *Tx) CreateUser(ctx context.Context, n NewUser) (User, error) {
	return t.createUser(ctx, n, nil)
}

func (t *Tx) createUser(ctx context.Context, n NewUser, roles []string) (User, error) {
	now := t.a.now()
	u := store.User{
		ID: newID(now), Email: strings.TrimSpace(n.Email), EmailVerified: n.EmailVerified, Name: n.Name, Picture: n.Picture,
		Locale: n.Locale, Roles: roles, Status: store.Active, Epoch: 1, CreatedAt: now, UpdatedAt: now,
	}
	if u.Email != "" {
		normal, err := newEmail(u.Email)
		if err != nil {
			return User{}, err
		}
		u.EmailNormal = normal
	}
	if err := checkProfile(u); err != nil {
		return User{}, err
	}
	if err := t.tx.Users().Create(ctx, u); err != nil {
		if errors.Is(err, store.ErrConflict) {
			return User{}, errEmailTaken.Because(err)
		}
		return User{}, fault("create user", err)
	}
	if err := t.countAdmins(ctx, nil, &u); err != nil {
		return User{}, err
	}
	e := t.a.event(t.c, eventUserCreated, u.ID, nil)
	return publicUser(u, false), t.record(ctx, e)
}

// checkProfile bounds what a person may say of himself.
func checkProfile(u store.User) error {
	if !plainText(u.Name, 200) {
		return errInvalidRequest.At("body.name", "must be at most 200 characters, without control characters")
	}
	if !plainText(u.Locale, 35) {
		return errInvalidRequest.At("body.locale", "must be a language tag like en or pt-BR")
	}
	if u.Picture != "" && (len(u.Picture) > 2000 || !strings.HasPrefix(u.Picture, "https://") || !plainText(u.Picture, 2000)) {
		return errInvalidRequest.At("body.picture", "must be an https address")
	}
	return nil
}

func plainText(s string, limit int) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > limit {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// update writes a person and tells every node.
func (t *Tx) update(ctx context.Context, u store.User) error {
	u.UpdatedAt = t.a.now()
	if err := t.tx.Users().Update(ctx, u); err != nil {
		return fault("update user", err)
	}
	return t.changed(ctx, u.ID)
}

// edit reads, changes and writes a person; the version makes it one step.
func (t *Tx) edit(ctx context.Context, userID string, change func(u *store.User) error) (store.User, error) {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return u, fault("read user", err)
	}
	if err := change(&u); err != nil {
		return u, err
	}
	return u, t.update(ctx, u)
}

// Profile is what people may change about themselves. Nil leaves a field as it is.
type Profile struct {
	Name    *string `json:"name,omitempty"`
	Picture *string `json:"picture,omitempty"`
	Locale  *string `json:"locale,omitempty"`
}

// EditProfile changes a person's profile.
func (t *Tx) EditProfile(ctx context.Context, userID string, p Profile) error {
	_, err := t.edit(ctx, userID, func(u *store.User) error {
		assign(&u.Name, p.Name)
		assign(&u.Picture, p.Picture)
		assign(&u.Locale, p.Locale)
		return checkProfile(*u)
	})
	if err != nil {
		return err
	}
	return t.Emit(ctx, eventUserUpdated, userID, nil)
}

func assign(field *string, value *string) {
	if value != nil {
		*field = strings.TrimSpace(*value)
	}
}

// ConfirmEmail marks the person's address as verified if it is still the given one (normal form): invalid_ticket when it
// is not. keep names the credential that the confirmed registration created; whatever else was made before the first proof
// of an address is deleted (R26).
func (t *Tx) ConfirmEmail(ctx context.Context, userID, normal, keep string) error {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil || u.EmailNormal != normal {
		return errInvalidTicket.Because(err)
	}
	if u.EmailVerified {
		return nil
	}
	if keep == "" {
		return t.FirstProof(ctx, userID)
	}
	creds, err := t.tx.Credentials().Of(ctx, userID)
	if err != nil {
		return fault("read credentials", err)
	}
	for _, c := range creds {
		if c.ID == keep {
			continue
		}
		if err := t.tx.Credentials().Delete(ctx, c.ID, 0); err != nil {
			return fault("delete credential", err)
		}
	}
	u.EmailVerified = true
	if err := t.update(ctx, u); err != nil {
		return err
	}
	return t.Emit(ctx, eventEmailVerified, userID, nil)
}

// FirstProof marks the address as verified by somebody who is not known to have made what is there: if it was unverified,
// every credential, identity, grant, session and ticket made before is deleted (R26).
func (t *Tx) FirstProof(ctx context.Context, userID string) error {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return fault("read user", err)
	}
	if u.EmailVerified {
		return nil
	}
	if err := t.tx.Credentials().DeleteOf(ctx, userID); err != nil {
		return fault("delete credentials", err)
	}
	if err := t.tx.Tickets().DeleteOf(ctx, userID, ""); err != nil {
		return fault("delete tickets", err)
	}
	if err := t.endSessions(ctx, userID, ""); err != nil {
		return err
	}
	if _, err := t.edit(ctx, userID, func(u *store.User) error { u.EmailVerified = true; return nil }); err != nil {
		return err
	}
	return t.Emit(ctx, eventFirstProof, userID, nil)
}

// ChangeEmail gives a person another address, verified or not. email_taken when it has an account. Tickets that were made
// for the old address die.
func (t *Tx) ChangeEmail(ctx context.Context, userID, email string, verified bool) error {
	normal, err := newEmail(email)
	if err != nil {
		return err
	}
	other, err := t.tx.Users().ByEmail(ctx, normal)
	if err == nil && other.ID != userID {
		return errEmailTaken
	}
	if err != nil && !isNotFound(err) {
		return fault("find user", err)
	}
	_, err = t.edit(ctx, userID, func(u *store.User) error {
		u.Email, u.EmailNormal, u.EmailVerified = strings.TrimSpace(email), normal, verified
		return nil
	})
	if err != nil {
		return err
	}
	if err := t.tx.Tickets().DeleteOf(ctx, userID, ""); err != nil {
		return fault("delete tickets", err)
	}
	return t.Emit(ctx, eventEmailChanged, userID, nil)
}

// setStatus disables or enables a person. Disabling ends everything.
func (t *Tx) setStatus(ctx context.Context, userID string, status store.Status) error {
	if status != store.Active && status != store.Disabled {
		return errInvalidRequest.At("body.status", "must be active or disabled")
	}
	before, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return fault("read user", err)
	}
	if before.Status == status {
		return nil
	}
	after, err := t.edit(ctx, userID, func(u *store.User) error { u.Status = status; return nil })
	if err != nil {
		return err
	}
	if err := t.countAdmins(ctx, &before, &after); err != nil {
		return err
	}
	if status == store.Active {
		return t.Emit(ctx, eventUserEnabled, userID, nil)
	}
	if err := t.tx.Tickets().DeleteOf(ctx, userID, ""); err != nil {
		return fault("delete tickets", err)
	}
	if err := t.endSessions(ctx, userID, ""); err != nil {
		return err
	}
	return t.Emit(ctx, eventUserDisabled, userID, nil)
}

// setRoles replaces a person's roles, which must exist.
func (t *Tx) setRoles(ctx context.Context, userID string, roles []string) error {
	before, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return fault("read user", err)
	}
	if roles, err = t.a.checkRoleNames(roles); err != nil {
		return err
	}
	after, err := t.edit(ctx, userID, func(u *store.User) error { u.Roles = roles; return nil })
	if err != nil {
		return err
	}
	if err := t.countAdmins(ctx, &before, &after); err != nil {
		return err
	}
	return t.Emit(ctx, eventRolesChanged, userID, map[string]string{"from": strings.Join(before.Roles, " "), "to": strings.Join(roles, " ")})
}

const maxUserRoles = 100

// checkRoleNames sorts the names of roles, each once, and refuses ones that do not exist.
func (a *Auth) checkRoleNames(roles []string) ([]string, error) {
	roles = slices.Compact(slices.Sorted(slices.Values(roles)))
	if len(roles) > maxUserRoles {
		return nil, errInvalidRequest.At("body.roles", "may hold at most "+strconv.Itoa(maxUserRoles))
	}
	for _, name := range roles {
		if !a.roleExists(name) {
			return nil, errInvalidRequest.At("body.roles", "holds a role that does not exist")
		}
	}
	return roles, nil
}

// deleteUser removes a person with everything that hangs on him. What happened to others stays on record.
func (t *Tx) deleteUser(ctx context.Context, userID string) error {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return fault("read user", err)
	}
	if err := t.countAdmins(ctx, &u, nil); err != nil {
		return err
	}
	if err := t.endGrants(ctx, store.GrantQuery{UserID: userID}); err != nil {
		return err
	}
	for _, remove := range []func() error{
		func() error { return t.tx.Credentials().DeleteOf(ctx, userID) },
		func() error { return t.tx.Tickets().DeleteOf(ctx, userID, "") },
		func() error { return t.tx.Events().Erase(ctx, userID) },
		func() error { return t.tx.Users().Delete(ctx, userID) },
	} {
		if err := remove(); err != nil {
			return fault("delete user", err)
		}
	}
	if err := t.changed(ctx, userID); err != nil {
		return err
	}
	t.after = append(t.after, func(ctx context.Context) error { return t.a.dropSessions(ctx, userID, "") })
	if err := t.Mail(ctx, publicUser(u, false), "account_deleted", nil); err != nil {
		return err
	}
	return t.Emit(ctx, eventUserDeleted, "", map[string]string{"user": userID})
}

func isAdmin(u *store.User) bool {
	return u != nil && u.Status == store.Active && slices.Contains(u.Roles, RoleAdmin)
}

// countAdmins keeps the number of administrators, and refuses to lose the last one, on whatever path (R31). The first one
// closes set-up (R36).
func (t *Tx) countAdmins(ctx context.Context, before, after *store.User) error {
	change := 0
	if isAdmin(before) {
		change--
	}
	if isAdmin(after) {
		change++
	}
	if change == 0 {
		return nil
	}
	rec, n, err := readAdmins(ctx, t.tx)
	if err != nil {
		return err
	}
	if n+change < 1 {
		return errLastAdmin
	}
	rec.Data = []byte(strconv.Itoa(n + change))
	return fault("count administrators", t.tx.Registry().Put(ctx, rec))
}

func readAdmins(ctx context.Context, tx store.Tx) (store.Record, int, error) {
	rec, err := tx.Registry().Get(ctx, kindSetting, adminsRecord)
	if isNotFound(err) {
		return store.Record{Kind: kindSetting, ID: adminsRecord}, 0, nil
	}
	if err != nil {
		return rec, 0, fault("read number of administrators", err)
	}
	n, err := strconv.Atoi(string(rec.Data))
	if err != nil {
		return rec, 0, fmt.Errorf("read number of administrators: %w", err)
	}
	return rec, n, nil
}

// FirstAdmin makes a person the first administrator: forbidden once there was one (R36).
func (t *Tx) FirstAdmin(ctx context.Context, userID string) error {
	rec, _, err := readAdmins(ctx, t.tx)
	if err != nil {
		return err
	}
	if rec.Version != 0 {
		return errForbidden.Because(errors.New("set-up is closed"))
	}
	if err := t.setRoles(ctx, userID, []string{RoleAdmin}); err != nil {
		return err
	}
	return t.Emit(ctx, eventSetupDone, userID, nil)
}

// SetupOpen says whether there was never an administrator.
func (k *Kit) SetupOpen(ctx context.Context) (bool, error) {
	rec, _, err := readAdmins(ctx, k.a.store)
	return rec.Version == 0, err
}
