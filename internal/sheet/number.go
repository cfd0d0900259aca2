package sheet

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
)

// exactDigits is how many significant digits a spreadsheet keeps of a number;
// from 1e15 on the tail of a code typed as a number is invented.
const exactDigits = 15

// maxExpand bounds the digits that an exponent is written out to.
const maxExpand = 40

// decimal is a number as text: digits without leading zeros, and how many of them
// stand before the point.
type decimal struct {
	neg    bool
	digits []byte // no zeros at either end; empty for zero
	point  int
}

// parseDecimal reads the raw text of a number cell without going through binary.
func parseDecimal(raw string) (d decimal, ok bool) {
	i := 0
	if i < len(raw) && (raw[i] == '-' || raw[i] == '+') {
		d.neg = raw[i] == '-'
		i++
	}
	seen, dot := false, false
	for ; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c >= '0' && c <= '9':
			seen = true
			if c == '0' && len(d.digits) == 0 {
				if dot {
					d.point--
				}
				continue
			}
			d.digits = append(d.digits, c)
			if !dot {
				d.point++
			}
		case c == '.' && !dot:
			dot = true
		case (c == 'e' || c == 'E') && seen:
			exp, err := strconv.Atoi(raw[i+1:])
			if err != nil || exp > 400 || exp < -400 {
				return d, false
			}
			d.point += exp
			i = len(raw)
		default:
			return d, false
		}
	}
	d.digits = bytes.TrimRight(d.digits, "0")
	if len(d.digits) == 0 {
		d.point, d.neg = 0, false
	}
	return d, seen
}

// integer reports whether the number has no fraction.
func (d *decimal) integer() bool { return len(d.digits) <= d.point || len(d.digits) == 0 }

// String writes the number without an exponent.
func (d *decimal) String() string {
	var b strings.Builder
	if d.neg {
		b.WriteByte('-')
	}
	switch {
	case len(d.digits) == 0:
		b.WriteByte('0')
	case d.point <= 0:
		b.WriteString("0.")
		b.WriteString(strings.Repeat("0", -d.point))
		b.Write(d.digits)
	case d.point >= len(d.digits):
		b.Write(d.digits)
		b.WriteString(strings.Repeat("0", d.point-len(d.digits)))
	default:
		b.Write(d.digits[:d.point])
		b.WriteByte('.')
		b.Write(d.digits[d.point:])
	}
	return b.String()
}

// numberText gives the text that a number cell stands for: the code that was
// typed. lost is true when the cell cannot be trusted to hold all that was typed:
// it reaches 1e15 or carries more than 15 significant digits. Nothing is repaired.
func numberText(raw string, f NumFmt) (text string, lost bool) {
	if n := len(raw); n > 0 && n < exactDigits && raw[0] != '0' && allDigits(raw) {
		return pad(raw, f.Zeros), false // the common case
	}
	d, ok := parseDecimal(raw)
	if !ok || d.point > maxExpand || d.point < -maxExpand {
		return raw, ok
	}
	if len(d.digits) > 0 && d.point > exactDigits {
		return d.String(), true
	}
	if d.integer() {
		return pad(d.String(), f.Zeros), false
	}
	if len(d.digits) > exactDigits {
		// 13812345678.000002 is what binary arithmetic made of 13812345678.
		if v, err := strconv.ParseFloat(raw, 64); err == nil {
			r, ok := parseDecimal(strconv.FormatFloat(v, 'e', exactDigits-1, 64))
			if ok && r.integer() {
				return pad(r.String(), f.Zeros), false
			}
		}
		return d.String(), true
	}
	return d.String(), false
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// pad applies a 000000 format to a whole number that is not negative.
func pad(s string, zeros uint8) string {
	if n := int(zeros) - len(s); n > 0 && s[0] != '-' {
		return strings.Repeat("0", n) + s
	}
	return s
}

const (
	dateLayout     = "2006-01-02"
	dateTimeLayout = "2006-01-02 15:04:05"
	maxSerial      = 2958466 // 10000-01-01
)

// dateText gives the date of a serial number in ISO form, so that a message can
// name it. ok is false when it is no date.
func dateText(raw string, from1904 bool) (string, bool) {
	v, err := strconv.ParseFloat(raw, 64)
	if err != nil || !(v >= 0) || v >= maxSerial {
		return "", false
	}
	days, frac := math.Modf(v)
	secs := int(math.Round(frac * 86400))
	start := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case from1904:
		start = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days < 60:
		// The 1900 system counts a 29 February 1900 that never was; before it a
		// serial is one day further on.
		start = start.AddDate(0, 0, 1)
	}
	t := start.AddDate(0, 0, int(days)).Add(time.Duration(secs) * time.Second)
	if secs == 0 {
		return t.Format(dateLayout), true
	}
	return t.Format(dateTimeLayout), true
}

// dateSerial is the inverse of dateText in the 1900 system, for dates from
// 1 March 1900 on.
func dateSerial(text string) (serial string, withTime, ok bool) {
	t, err := time.Parse(dateLayout, text)
	if err != nil {
		if t, err = time.Parse(dateTimeLayout, text); err != nil {
			return "", false, false
		}
		withTime = true
	}
	d := t.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC))
	if t.Year() < 1901 || t.Year() > 9999 {
		return "", false, false
	}
	return strconv.FormatFloat(d.Hours()/24, 'f', -1, 64), withTime, true
}

// isoDate brings the ISO text of a strict workbook's date cell into the form of
// dateText; anything else stays as it is.
func isoDate(raw string) string {
	for _, layout := range []string{"2006-01-02T15:04:05.999Z07:00", "2006-01-02T15:04:05.999", "2006-01-02T15:04", dateLayout} {
		if t, err := time.Parse(layout, raw); err == nil {
			if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
				return t.Format(dateLayout)
			}
			return t.Format(dateTimeLayout)
		}
	}
	return raw
}
