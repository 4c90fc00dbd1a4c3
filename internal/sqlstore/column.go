package sqlstore

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ostiary/ostiary/store"
)

// pack turns an ID into the 16 bytes of its column. Anything that is no canonical UUID becomes nil, which is NULL and so
// equals nothing.
func pack(id string) []byte {
	if !store.ValidID(id) {
		return nil
	}
	b, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil {
		return nil
	}
	return b
}

func unpack(b []byte) string {
	if len(b) != 16 {
		return ""
	}
	x := hex.EncodeToString(b)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// checkIDs refuses to store a record with a malformed ID or reference.
func checkIDs(id string, references ...string) error {
	if !store.ValidID(id) {
		return fmt.Errorf("store record: ID %q is no canonical UUID", id)
	}
	return checkReferences(references...)
}

func checkReferences(references ...string) error {
	for _, r := range references {
		if r != "" && !store.ValidID(r) {
			return fmt.Errorf("store record: reference %q is no canonical UUID", r)
		}
	}
	return nil
}

// idColumn scans a packed ID; NULL is "".
type idColumn struct{ id *string }

func (c idColumn) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c.id = ""
	case []byte:
		*c.id = unpack(v)
	default:
		return fmt.Errorf("scan ID: got %T", src)
	}
	return nil
}

// timeColumn scans integer microseconds.
type timeColumn struct{ t *time.Time }

func (c timeColumn) Scan(src any) error {
	v, ok := src.(int64)
	if !ok {
		return fmt.Errorf("scan time: got %T", src)
	}
	*c.t = time.UnixMicro(v).UTC()
	return nil
}

// bytesColumn scans a blob; an empty one is nil.
type bytesColumn struct{ b *[]byte }

func (c bytesColumn) Scan(src any) error {
	*c.b = nil
	if v, ok := src.([]byte); ok && len(v) > 0 {
		*c.b = append([]byte(nil), v...)
	} else if src != nil && !ok {
		return fmt.Errorf("scan bytes: got %T", src)
	}
	return nil
}

// blob binds bytes; empty ones are NULL.
func blob(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// hashColumn scans a blob of fixed length.
type hashColumn struct{ b []byte }

func (c hashColumn) Scan(src any) error {
	v, ok := src.([]byte)
	if !ok || len(v) != len(c.b) {
		return fmt.Errorf("scan hash: got %T of %d bytes", src, len(v))
	}
	copy(c.b, v)
	return nil
}

// jsonColumn scans a JSON text; "" leaves the value as it is.
type jsonColumn struct{ value any }

func (c jsonColumn) Scan(src any) error {
	v, err := text(src)
	if err != nil || v == "" {
		return err
	}
	return json.Unmarshal([]byte(v), c.value)
}

func toJSON(length int, value any) (string, error) {
	if length == 0 {
		return "", nil
	}
	b, err := json.Marshal(value)
	return string(b), err
}

// addrColumn scans an address; "" is the zero one.
type addrColumn struct{ a *netip.Addr }

func (c addrColumn) Scan(src any) error {
	v, err := text(src)
	if err != nil || v == "" {
		return err
	}
	*c.a, err = netip.ParseAddr(v)
	return err
}

func addr(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func text(src any) (string, error) {
	switch v := src.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	}
	return "", fmt.Errorf("scan text: got %T", src)
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
