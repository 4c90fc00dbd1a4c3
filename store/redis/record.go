package redis

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/ostiary/ostiary/store"
)

// A session is a version, a head of fixed size that scripts read and change, and the rest: integers as varints, texts
// after their length.
//
//	0     1          17          25        33        41
//	│ 1   │ ID       │ last seen │ idle at │ expires │ user, epoch, auth at, created at, source, user agent, AMR …
const (
	recordVersion = 1
	headSize      = 41
)

var errRecord = errors.New("the stored session is damaged")

func encode(s store.Session) ([]byte, error) {
	id, ok := pack(s.ID)
	if !ok || s.UserID != "" && !store.ValidID(s.UserID) {
		return nil, errors.New("put session: an ID is no UUID")
	}
	source, err := s.Source.MarshalBinary()
	if err != nil {
		return nil, err
	}
	user, _ := pack(s.UserID)
	if s.UserID == "" {
		user = nil
	}
	b := make([]byte, 0, headSize+64+len(s.UserAgent))
	b = append(b, recordVersion)
	b = append(b, id...)
	for _, t := range []time.Time{s.LastSeenAt, s.IdleAt, s.ExpiresAt} {
		b = append(b, micros(t)...)
	}
	b = appendText(b, string(user))
	b = binary.AppendVarint(b, s.Epoch)
	b = binary.AppendVarint(b, s.AuthAt.UnixMicro())
	b = binary.AppendVarint(b, s.CreatedAt.UnixMicro())
	b = appendText(b, string(source))
	b = appendText(b, s.UserAgent)
	for _, method := range s.AMR {
		b = appendText(b, method)
	}
	return b, nil
}

// decode reads what encode wrote, and never more than there is.
func decode(b []byte, hash [32]byte) (store.Session, error) {
	if len(b) < headSize || b[0] != recordVersion {
		return store.Session{}, errRecord
	}
	s := store.Session{
		ID: unpack(b[1:17]), Hash: hash, LastSeenAt: timeAt(b[17:]), IdleAt: timeAt(b[25:]), ExpiresAt: timeAt(b[33:]),
	}
	r := reader{rest: string(b[headSize:])}
	if user := r.text(); len(user) == 16 {
		s.UserID = unpack([]byte(user))
	} else if user != "" {
		r.failed = true
	}
	s.Epoch = r.number()
	s.AuthAt, s.CreatedAt = time.UnixMicro(r.number()).UTC(), time.UnixMicro(r.number()).UTC()
	if err := s.Source.UnmarshalBinary([]byte(r.text())); err != nil {
		r.failed = true
	}
	s.UserAgent = r.text()
	for r.rest != "" && !r.failed {
		s.AMR = append(s.AMR, r.text())
	}
	if r.failed {
		return store.Session{}, errRecord
	}
	return s, nil
}

// reader takes values from the front; after a failure all are zero.
type reader struct {
	rest   string
	failed bool
}

func (r *reader) number() int64 {
	n, size := binary.Varint([]byte(r.rest[:min(len(r.rest), binary.MaxVarintLen64)]))
	if size <= 0 || r.failed {
		r.failed = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text() string {
	n := r.number()
	if n < 0 || n > int64(len(r.rest)) || r.failed {
		r.failed = true
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendVarint(b, int64(len(text))), text...)
}

// micros are the 8 bytes of a time.
func micros(t time.Time) []byte { return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro())) }

func timeAt(b []byte) time.Time { return time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC() }

// pack turns an ID into 16 bytes.
func pack(id string) ([]byte, bool) {
	if !store.ValidID(id) {
		return nil, false
	}
	b, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	return b, err == nil
}

func unpack(b []byte) string {
	x := hex.EncodeToString(b)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}
