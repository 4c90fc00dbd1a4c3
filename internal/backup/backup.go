// Package backup owns the form of a backup file: a readable head that says what is inside, and a sealed body.
//
//	"ostiary backup 1\n"   the magic, 17 bytes
//	length of the manifest 4 bytes, big endian
//	manifest               JSON
//	salt                   32 bytes
//	body                   chunks of 64 KiB, each sealed with ChaCha20-Poly1305, the last one shorter or marked as last
//
// The key of the body is HKDF-SHA-256 (RFC 5869) of a key that is derived from a master key, with the salt, and bound to
// all bytes before the body: a head that was changed opens nothing. A nonce is the number of the chunk in 11 bytes, big
// endian, and one byte that is 1 in the last chunk (the STREAM construction, as in age): chunks that were cut off, left
// out, repeated or moved do not open. Memory is constant in both directions.
//
// The package knows nothing about what is kept in the body, about master keys, and about files.
package backup

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// Purpose is what the key of a backup is derived from a master key for.
const Purpose = "ostiary backup v1"

const (
	magic       = "ostiary backup 1\n"
	maxManifest = 64 << 10
	saltSize    = 32
)

// Manifest says what is in a backup. Everybody can read it.
type Manifest struct {
	Database string    `json:"database"` // "sqlite"
	Schema   int64     `json:"schema"`   // version
	Created  time.Time `json:"created"`  // everything that was acknowledged before is inside
	Version  string    `json:"version"`  // of the program that made it
	// Keys names the master keys that are needed to use what is inside; the body is sealed under the first.
	Keys   []string `json:"keys"`
	Size   int64    `json:"size"`   // of what is inside, in bytes
	SHA256 string   `json:"sha256"` // of what is inside, in hex
}

// What is wrong with a file.
var (
	// ErrFormat says that the file is no backup, or one that only a newer version knows.
	ErrFormat = errors.New("file is no backup that this version knows")
	// ErrDamaged says that the file was cut off or changed, or that the key is not the one that it names.
	ErrDamaged = errors.New("backup is damaged: it was cut off or changed")
)

// ReadManifest reads the head of a backup. It proves nothing: only the body does. ErrFormat.
func ReadManifest(r io.Reader) (Manifest, error) {
	m, _, err := readHead(r)
	return m, err
}

// readHead returns the manifest, and all bytes up to the salt.
func readHead(r io.Reader) (m Manifest, head []byte, err error) {
	head = make([]byte, len(magic)+4)
	if _, err := io.ReadFull(r, head); err != nil {
		return m, nil, short(err, ErrFormat)
	}
	size := binary.BigEndian.Uint32(head[len(magic):])
	if string(head[:len(magic)]) != magic || size > maxManifest {
		return m, nil, ErrFormat
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(r, text); err != nil {
		return m, nil, short(err, ErrDamaged)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&m) != nil || decoder.More() || len(m.Keys) == 0 || m.Size < 0 {
		return m, nil, ErrFormat
	}
	return m, append(head, text...), nil
}

// short tells a file that ends too early from one that cannot be read.
func short(err, meaning error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return meaning
	}
	return fmt.Errorf("read backup: %w", err)
}

// Write makes a backup of everything that body holds; key is the one derived from the master key for [Purpose].
func Write(w io.Writer, m Manifest, key [32]byte, body io.Reader) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if len(text) > maxManifest {
		return errors.New("write manifest: too long")
	}
	head := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(text)))
	head = append(head, text...)
	salt := make([]byte, saltSize)
	rand.Read(salt)
	aead, err := bodyKey(key, salt, head)
	if err != nil {
		return err
	}
	if _, err := w.Write(append(head, salt...)); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return sealAll(w, aead, body)
}

// Read writes what is inside a backup to w. Nothing of it may be used before Read returned nil. ErrFormat, ErrDamaged.
func Read(r io.Reader, key [32]byte, w io.Writer) (Manifest, error) {
	m, head, err := readHead(r)
	if err != nil {
		return m, err
	}
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(r, salt); err != nil {
		return m, short(err, ErrDamaged)
	}
	aead, err := bodyKey(key, salt, head)
	if err != nil {
		return m, err
	}
	sum := sha256.New()
	n, err := openAll(io.MultiWriter(w, sum), aead, r, m.Size)
	if err != nil {
		return m, err
	}
	if n != m.Size || fmt.Sprintf("%x", sum.Sum(nil)) != m.SHA256 {
		return m, ErrDamaged
	}
	return m, nil
}

func bodyKey(key [32]byte, salt, head []byte) (cipher.AEAD, error) {
	bound := sha256.Sum256(head)
	derived, err := hkdf.Key(sha256.New, key[:], salt, Purpose+string(bound[:]), chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return chacha20poly1305.New(derived)
}
