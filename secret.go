package ostiary

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/ostiary/ostiary/store"
)

var b64 = base64.RawURLEncoding

// newSecret returns 256 random bits and their text.
func newSecret() (raw [32]byte, text string) {
	rand.Read(raw[:])
	return raw, b64.EncodeToString(raw[:])
}

func random16() (b [16]byte) {
	rand.Read(b[:])
	return b
}

// newID returns a UUIDv7 (RFC 9562 §5.7): sortable by time, with 74 random bits. IDs name things; they open nothing.
func newID(now time.Time) string {
	b := random16()
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(b[:6], ms[2:])
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return uuid(b)
}

func uuid(b [16]byte) string {
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:36], b[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// parseUUID is the inverse of uuid; anything but the canonical text is refused.
func parseUUID(s string) (b [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return b, false
	}
	compact := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	if _, err := hex.Decode(b[:], []byte(compact)); err != nil {
		return b, false
	}
	return b, uuid(b) == s
}

// logHash is the hash under which a handle stands in the revocation log (R18). Keys stand in the clear: their id is
// public, and is the SHA-256 thumbprint of the key.
func logHash(incarnation [16]byte, kind store.Kind, handle string) [16]byte {
	h := sha256.New()
	h.Write(incarnation[:])
	h.Write([]byte{byte(kind)})
	h.Write([]byte(handle))
	return [16]byte(h.Sum(nil)[:16])
}

func keyHash(kid string) (h [16]byte) {
	raw, err := b64.DecodeString(kid)
	if err != nil || len(raw) < 16 {
		sum := sha256.Sum256([]byte(kid))
		raw = sum[:]
	}
	copy(h[:], raw)
	return h
}
