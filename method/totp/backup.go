package totp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary"
)

const (
	codeCount = 10
	codeFew   = 3  // what is left of them, when their owner is warned
	codeChars = 12 // of base32: 60 bits
)

// Backup is the second factor "backup_code": ten codes, each of which works once, for a person who has another factor.
type Backup struct{ kit *ostiary.Kit }

// Name is "backup_code".
func (b *Backup) Name() string { return ostiary.BackupCodes }

// Field is empty: whoever shows a backup code names the method.
func (b *Backup) Field() string { return "" }

// Guessable is false: a code has 60 random bits. So nobody can use up the owner's tries by guessing.
func (b *Backup) Guessable() bool { return false }

// Routes is called by the engine.
func (b *Backup) Routes(k *ostiary.Kit) ([]ostiary.Route, error) {
	b.kit = k
	return []ostiary.Route{
		{
			Name: "mfa.backup-codes", Pattern: "POST /api/v1/mfa/backup-codes", Need: []ostiary.Check{fresh}, Serve: ostiary.JSON(b.replace),
			Doc: "Makes ten new backup codes. The old ones are dead.",
		},
		{
			Name: "mfa.backup-codes.get", Pattern: "GET /api/v1/mfa/backup-codes", Serve: ostiary.JSON(b.count),
			Doc: "Says how many backup codes are left.",
		},
	}, nil
}

var errNoFactor = ostiary.Fail(409, "conflict", "Backup codes stand in for a second factor: set one up first.")

// CountAnswer says how many codes are left, and whether that is few.
type CountAnswer struct {
	Left int  `json:"left"`
	Low  bool `json:"low"`
}

func (b *Backup) count(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (CountAnswer, error) {
	u, err := caller(ctx, b.kit, c)
	if err != nil {
		return CountAnswer{}, err
	}
	_, hashes, err := codesOf(ctx, b.kit.Credentials, u.ID)
	return CountAnswer{Left: len(hashes), Low: len(hashes) <= codeFew}, err
}

func (b *Backup) replace(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (CodesAnswer, error) {
	u, err := caller(ctx, b.kit, c)
	if err != nil {
		return CodesAnswer{}, err
	}
	var codes []string
	err = b.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		now, err := t.User(ctx, u.ID)
		if err != nil {
			return err
		}
		if !now.MFA {
			return errNoFactor
		}
		codes, err = b.renew(ctx, t, u.ID)
		return err
	})
	return CodesAnswer{codes}, err
}

// renew puts ten new codes in the place of the old ones. Without the engine's knowledge of the method there are none.
func (b *Backup) renew(ctx context.Context, t *ostiary.Tx, userID string) ([]string, error) {
	if b.kit == nil {
		return []string{}, nil
	}
	codes := make([]string, codeCount)
	hashes := make([][]byte, codeCount)
	for i := range codes {
		codes[i] = newCode()
		hashes[i] = b.kit.Hash(userID, plainBackup(codes[i]))
	}
	vault, _ := b.kit.In(t)
	cred, _, err := codesOf(ctx, vault, userID)
	if err != nil {
		return nil, err
	}
	if err := put(ctx, vault, cred, userID, hashes); err != nil {
		return nil, err
	}
	return codes, t.Emit(ctx, "mfa.backup_codes_created", userID, nil)
}

// Verify takes a code and crosses it out. Of several callers one wins, by compare-and-swap.
func (b *Backup) Verify(ctx context.Context, c *ostiary.Call, userID string, response json.RawMessage) (ostiary.Proof, error) {
	var text string
	if err := json.Unmarshal(response, &text); err != nil {
		return ostiary.Proof{}, errMalformed.At("body.code", "must be the code as a text")
	}
	code := plainBackup(text)
	err := b.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		cred, hashes, err := codesOf(ctx, t.Credentials, userID)
		if err != nil {
			return err
		}
		i := b.kit.Matches(userID, code, hashes)
		if i < 0 {
			return errFailed
		}
		hashes = slices.Delete(hashes, i, i+1)
		if err := put(ctx, t.Credentials, cred, userID, hashes); err != nil {
			return err
		}
		return b.used(ctx, t, userID, len(hashes))
	})
	if err != nil {
		return ostiary.Proof{}, err
	}
	return ostiary.Proof{UserID: userID, AMR: []string{"otp"}}, nil
}

// used tells that a code was used, and warns when few are left.
func (b *Backup) used(ctx context.Context, t *ostiary.Tx, userID string, left int) error {
	text := strconv.Itoa(left)
	if err := t.Emit(ctx, "mfa.backup_code_used", userID, map[string]string{"left": text}); err != nil || left > codeFew {
		return err
	}
	u, err := t.User(ctx, userID)
	if err != nil {
		return err
	}
	return t.Mail(ctx, u, "backup_codes_low", map[string]string{"Left": text, "Link": b.kit.Link("/account")})
}

// codesOf reads the keyed hashes of a person's codes, which stand in one credential.
func codesOf(ctx context.Context, v *ostiary.Vault, userID string) (ostiary.Credential, [][]byte, error) {
	rows, err := v.Of(ctx, userID)
	if err != nil || len(rows) == 0 {
		return ostiary.Credential{}, nil, err
	}
	var hashes [][]byte
	if err := json.Unmarshal(rows[0].Data, &hashes); err != nil {
		return rows[0], nil, fmt.Errorf("read backup codes: %w", err)
	}
	return rows[0], hashes, nil
}

func put(ctx context.Context, v *ostiary.Vault, cred ostiary.Credential, userID string, hashes [][]byte) error {
	data, err := json.Marshal(hashes)
	if err != nil {
		return fmt.Errorf("write backup codes: %w", err)
	}
	cred.Data = data
	if cred.ID != "" {
		return v.Update(ctx, cred)
	}
	cred.UserID, cred.Lookup = userID, userID
	_, err = v.Create(ctx, cred)
	return err
}

// newCode is a code as people read it: abcd-efgh-ijkl.
func newCode() string {
	text := strings.ToLower(rand.Text())
	return text[:4] + "-" + text[4:8] + "-" + text[8:codeChars]
}

// plainBackup is a code without what people add or leave out when they type it; "" when it cannot be one.
func plainBackup(text string) string {
	if len(text) > 64 {
		return ""
	}
	code := strings.Map(func(r rune) rune {
		switch r {
		case '-', ' ', '\t':
			return -1
		case '0':
			return 'o'
		case '1':
			return 'l'
		}
		return r
	}, strings.ToLower(text))
	if len(code) != codeChars {
		return ""
	}
	return code
}
