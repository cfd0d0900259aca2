package store

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// The history is the largest part of a database that is some rounds old: each save keeps
// what every cell was and became. Half of that are the names of fields and numbers of rows
// that look alike, which S2 finds in about a microsecond for each kilobyte. It is packed
// before it is sealed, of course, since what is sealed looks like noise.

const (
	// packed begins what is packed. No JSON begins so, and older sets are plain JSON.
	packed = 2
	// packFrom is the size below which nothing is gained.
	packFrom = 256
	// mostUnpacked bounds what is made of what is read.
	mostUnpacked = 256 << 20
)

// pack makes plain JSON smaller.
func pack(plain []byte) []byte {
	if len(plain) < packFrom {
		return plain
	}
	b := make([]byte, 1+s2.MaxEncodedLen(len(plain)))
	b[0] = packed
	return b[:1+len(s2.Encode(b[1:], plain))]
}

// unpack is the inverse of pack; what is not packed is given back.
func unpack(b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] != packed {
		return b, nil
	}
	if n, err := s2.DecodedLen(b[1:]); err != nil || n > mostUnpacked {
		return nil, errors.New("store: packed bytes are not readable")
	}
	plain, err := s2.Decode(nil, b[1:])
	if err != nil {
		return nil, fmt.Errorf("store: unpack: %w", err)
	}
	return plain, nil
}

// encode makes what is sealed of a change set, or of a piece of one.
func (d *deltaJSON) encode() ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, errors.New("store: a change set cannot be encoded")
	}
	return pack(b), nil
}

// decode reads what encode made.
func (d *deltaJSON) decode(b []byte) error {
	plain, err := unpack(b)
	if err != nil {
		return err
	}
	if json.Unmarshal(plain, d) != nil {
		return errors.New("store: a stored change set is not readable")
	}
	return nil
}
