package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"math/big"
	"strings"
)

const (
	livePrefix = "ost_live_"
	testPrefix = "ost_test_"
	randomLen  = 43 // digits of 256 bits in base 62
	sumLen     = 6  // digits of 32 bits
	textLen    = len(livePrefix) + randomLen + sumLen
	shownLen   = len(livePrefix) + 4 // of the beginning, by which people tell keys apart
)

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newText makes a key. The last six characters are the CRC-32 (IEEE) of all before them.
func newText(test bool) string {
	prefix := livePrefix
	if test {
		prefix = testPrefix
	}
	var raw [32]byte
	rand.Read(raw[:])
	body := prefix + base62(new(big.Int).SetBytes(raw[:]), randomLen)
	return body + checksum(body)
}

func checksum(body string) string {
	return base62(new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(body)))), sumLen)
}

// base62 writes n in that many digits, the most significant first.
func base62(n *big.Int, width int) string {
	out := make([]byte, width)
	base, digit := big.NewInt(int64(len(digits))), new(big.Int)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = digits[digit.Int64()]
	}
	return string(out)
}

// wellFormed says whether a text can be a key at all.
func wellFormed(text string) bool {
	if len(text) != textLen || !strings.HasPrefix(text, livePrefix) && !strings.HasPrefix(text, testPrefix) {
		return false
	}
	for i := len(livePrefix); i < textLen; i++ {
		c := text[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return checksum(text[:textLen-sumLen]) == text[textLen-sumLen:]
}

// lookup is what is stored of a key: it has 256 random bits, so a plain hash gives nothing away (R33).
func lookup(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
