package keys

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

// maxRecords is more than extend ever lets there be.
const maxRecords = 1000

// saved is a signing key as it is sealed in the registry. It never changes, except that a revoked key loses its private
// part and stays as a mark that its period is taken.
type saved struct {
	Alg     token.Alg `json:"alg"`
	KeyID   string    `json:"kid"`
	Private []byte    `json:"private,omitempty"` // nil: revoked
	Publish time.Time `json:"publish"`
	Sign    time.Time `json:"sign"`
}

func (s saved) revoked() bool { return s.Private == nil }

// link is one record of an algorithm's chain: the keys in the order in which they sign.
type link struct {
	saved
	record store.Record
	number int // of the period, counted from 1: what makes the record ID deterministic
}

// recordID is the same on every node for the same algorithm and period, so only one of them can create it.
func recordID(alg token.Alg, number int) string { return fmt.Sprintf("%s-%08d", alg, number) }

func (c RotatorConfig) place(id string) string { return "registry/data/" + c.RecordKind + "/" + id }

// read returns all links, ordered by algorithm and time of signing.
func (c RotatorConfig) read(ctx context.Context, from store.Registry) ([]link, error) {
	records, err := from.List(ctx, c.RecordKind, "", maxRecords)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	if len(records) == maxRecords {
		return nil, fmt.Errorf("list signing keys: there are %d or more", maxRecords)
	}
	links := make([]link, len(records))
	for i, rec := range records {
		if links[i], err = c.open(rec); err != nil {
			return nil, fmt.Errorf("open signing key %s: %w", rec.ID, err)
		}
	}
	slices.SortFunc(links, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.Alg, b.Alg), a.Sign.Compare(b.Sign), cmp.Compare(a.number, b.number))
	})
	return links, nil
}

func (c RotatorConfig) open(rec store.Record) (link, error) {
	plain, err := c.Master.Open(c.place(rec.ID), rec.Data)
	if err != nil {
		return link{}, err
	}
	l := link{record: rec}
	if err := json.Unmarshal(plain, &l.saved); err != nil {
		return link{}, err
	}
	digits, ok := strings.CutPrefix(rec.ID, string(l.Alg)+"-")
	if l.number, err = strconv.Atoi(digits); err != nil || !ok {
		return link{}, errors.New("its record has a wrong ID")
	}
	return l, nil
}

// seal is the record that keeps s, at the given version.
func (c RotatorConfig) seal(s saved, id string, version int64) (store.Record, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return store.Record{}, fmt.Errorf("marshal signing key: %w", err)
	}
	return store.Record{Kind: c.RecordKind, ID: id, Data: c.Master.Seal(c.place(id), plain), Version: version}, nil
}
