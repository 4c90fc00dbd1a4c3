package keys

import "errors"

// ErrSealed says that sealed data cannot be opened: it was changed, belongs to another place, was sealed under a master
// key that is not in the ring, or never was sealed data. Which of these is not told.
var ErrSealed = errors.New("keys: sealed data cannot be opened")

const (
	sealVersion = 1
	sealHeader  = 1 + len(KeyID{})
)

// Seal encrypts under the current master key: version ‖ key id ‖ nonce ‖ AES-256-GCM, bound to version, key id and place
// ("table/column/row"), so that a sealed value moved to another row does not open there.
//
// Nonces are random: one master key may seal 2³² values before it has to be rotated (NIST SP 800-38D §8.3).
func (m Master) Seal(place string, plain []byte) []byte {
	k := m.keys[0]
	out := make([]byte, 0, sealHeader+k.aead.Overhead()+len(plain))
	out = append(out, sealVersion)
	out = append(out, k.id[:]...)
	return k.aead.Seal(out, nil, plain, bound(out, place))
}

// Open returns what Seal was given for the same place, under any key of the ring. ErrSealed for anything else.
func (m Master) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) < sealHeader || sealed[0] != sealVersion {
		return nil, ErrSealed
	}
	header, body := sealed[:sealHeader], sealed[sealHeader:]
	k, ok := m.find(KeyID(header[1:]))
	if !ok {
		return nil, ErrSealed
	}
	plain, err := k.aead.Open(nil, nil, body, bound(header, place))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// bound is the additional data. The header has a fixed length, so no two pairs give the same bytes.
func bound(header []byte, place string) []byte {
	return append(append(make([]byte, 0, len(header)+len(place)), header...), place...)
}
