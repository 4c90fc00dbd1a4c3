package backup

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

const chunk = 64 << 10

// nonce counts chunks. 2^64 of them are more than any disk holds.
func nonce(number uint64, last bool) []byte {
	n := make([]byte, chacha20poly1305.NonceSize)
	binary.BigEndian.PutUint64(n[3:11], number)
	if last {
		n[11] = 1
	}
	return n
}

// sealAll seals chunk by chunk. Only the last one is shorter than a chunk; it is empty when there is nothing else to mark.
func sealAll(w io.Writer, aead cipher.AEAD, body io.Reader) error {
	plain, sealed := make([]byte, chunk), make([]byte, 0, chunk+aead.Overhead())
	ahead := bufio.NewReaderSize(body, 2*chunk)
	for number := uint64(0); ; number++ {
		n, err := io.ReadFull(ahead, plain)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("read what is backed up: %w", err)
		}
		last, err := atEnd(ahead)
		if err != nil {
			return fmt.Errorf("read what is backed up: %w", err)
		}
		sealed = aead.Seal(sealed[:0], nonce(number, last), plain[:n], nil)
		if _, err := w.Write(sealed); err != nil {
			return fmt.Errorf("write backup: %w", err)
		}
		if last {
			return nil
		}
	}
}

// openAll writes at most limit bytes, and returns how many.
func openAll(w io.Writer, aead cipher.AEAD, r io.Reader, limit int64) (written int64, err error) {
	sealed, plain := make([]byte, chunk+aead.Overhead()), make([]byte, 0, chunk)
	ahead := bufio.NewReaderSize(r, 2*len(sealed))
	for number := uint64(0); ; number++ {
		n, err := io.ReadFull(ahead, sealed)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return written, fmt.Errorf("read backup: %w", err)
		}
		last, err := atEnd(ahead)
		if err != nil {
			return written, fmt.Errorf("read backup: %w", err)
		}
		plain, err = aead.Open(plain[:0], nonce(number, last), sealed[:n], nil)
		if err != nil || written+int64(len(plain)) > limit {
			return written, ErrDamaged
		}
		if _, err := w.Write(plain); err != nil {
			return written, fmt.Errorf("write what was backed up: %w", err)
		}
		written += int64(len(plain))
		if last {
			return written, nil
		}
	}
}

func atEnd(r *bufio.Reader) (bool, error) {
	_, err := r.Peek(1)
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}
