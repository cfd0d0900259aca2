package tianbao

import (
	"fmt"
	"strconv"
)

// ID identifies a stored thing. Ids are made by the application, rise with time
// and fit 63 bits, so one BIGINT column holds them on every engine. JSON carries
// them as strings, because a browser's numbers end at 53 bits.
type ID int64

// ParseID reads the decimal form that [ID.String] writes.
func ParseID(s string) (ID, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || (len(s) > 0 && (s[0] == '+' || s[0] == '0')) {
		return 0, fmt.Errorf("tianbao: %q is not an id", s)
	}
	return ID(n), nil
}

// String returns the decimal form.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// MarshalText writes the decimal form, which JSON puts between quotes.
func (id ID) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(id), 10), nil }

// UnmarshalText reads the decimal form; the empty text is no id (0).
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 || string(b) == "0" {
		*id = 0
		return nil
	}
	v, err := ParseID(string(b))
	if err != nil {
		return err
	}
	*id = v
	return nil
}
