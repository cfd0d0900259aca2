package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/klauspost/compress/s2"

	"tianbao/internal/jsontext"
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
	b, err := d.appendJSON(make([]byte, 0, 64+512*len(d.Changes)))
	if err != nil {
		return nil, errors.New("store: a change set cannot be encoded")
	}
	return pack(b), nil
}

// appendJSON is json.Marshal, but that < > & stay as they are.
func (d *deltaJSON) appendJSON(b []byte) ([]byte, error) {
	b = append(b, '{')
	if d.Note != "" {
		b = append(jsontext.Append(append(b, `"n":`...), d.Note), ',')
	}
	if d.Pieces != 0 {
		b = append(strconv.AppendInt(append(b, `"p":`...), int64(d.Pieces), 10), ',')
	}
	if b = append(b, `"c":`...); d.Changes == nil {
		return append(b, "null}"...), nil
	}
	b = append(b, '[')
	for i := range d.Changes {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = d.Changes[i].appendJSON(b); err != nil {
			return nil, err
		}
	}
	return append(b, "]}"...), nil
}

func (c *changeJSON) appendJSON(b []byte) ([]byte, error) {
	b = jsontext.Append(append(b, `{"o":`...), string(c.Op))
	b = jsontext.Append(append(b, `,"r":`...), c.Row.String())
	if c.After != 0 {
		b = strconv.AppendInt(append(b, `,"f":`...), c.After, 10)
	}
	for i := range c.Cells {
		b = append(b, [...]string{`,"c":[`, `,`}[min(i, 1)]...)
		b = c.Cells[i].appendJSON(b)
	}
	if len(c.Cells) > 0 {
		b = append(b, ']')
	}
	if c.Reason != nil {
		reason, err := json.Marshal(c.Reason)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"x":`...), reason...)
	}
	return append(b, '}'), nil
}

func (c *cellJSON) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"i":`...), int64(c.Field), 10)
	if c.Before != "" {
		b = jsontext.Append(append(b, `,"b":`...), c.Before)
	}
	if c.After != "" {
		b = jsontext.Append(append(b, `,"a":`...), c.After)
	}
	if c.Mark != 0 {
		b = strconv.AppendInt(append(b, `,"m":`...), int64(c.Mark), 10)
	}
	if c.Was != 0 {
		b = strconv.AppendInt(append(b, `,"w":`...), int64(c.Was), 10)
	}
	return append(b, '}')
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
