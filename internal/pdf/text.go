package pdf

import (
	"iter"
	"strings"
)

// latin reports whether a character is set in Helvetica.
func latin(r rune) bool { return ' ' <= r && r <= '~' }

// runs yields the parts of a text that are set in one font. What cannot be shown on a
// line, as a line break, becomes a blank.
func runs(text string) iter.Seq2[string, bool] {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	return func(yield func(string, bool) bool) {
		from, was := 0, false
		for i, r := range text {
			if now := latin(r); i > from && now != was {
				if !yield(text[from:i], was) {
					return
				}
				from, was = i, now
			} else {
				was = now
			}
		}
		if from < len(text) {
			yield(text[from:], was)
		}
	}
}

// TextWidth returns how wide a text is at a size.
func TextWidth(text string, size float64) float64 {
	sum := 0
	for _, r := range text {
		switch {
		case latin(r):
			sum += helvetica(byte(r))
		case r < ' ' || r == 0x7f:
			sum += helvetica(' ')
		default:
			sum += 1000
		}
	}
	return float64(sum) * size / 1000
}

// Fit returns a text that is at most so wide, cut with … where it must be.
func Fit(text string, size, width float64) string {
	if TextWidth(text, size) <= width {
		return text
	}
	for runes := []rune(text); len(runes) > 0; runes = runes[:len(runes)-1] {
		if cut := string(runes) + "…"; TextWidth(cut, size) <= width {
			return cut
		}
	}
	return ""
}

// helvetica is the width of an ASCII character in the standard font, in thousandths of
// its size (Adobe Font Metrics of Helvetica).
func helvetica(c byte) int {
	for _, w := range [...]struct {
		of    string
		width int
	}{
		{"'", 191},
		{"ijl", 222},
		{"|", 260},
		{" !,./:;I[\\]ft", 278},
		{"()-`r", 333},
		{"{}", 334},
		{"\"", 355},
		{"*", 389},
		{"^", 469},
		{"Jcksvxyz", 500},
		{"+<=>~", 584},
		{"FTZ", 611},
		{"&ABEKPSVXY", 667},
		{"CDHNRUw", 722},
		{"GOQ", 778},
		{"Mm", 833},
		{"%", 889},
		{"W", 944},
		{"@", 1015},
	} {
		if strings.IndexByte(w.of, c) >= 0 {
			return w.width
		}
	}
	return 556 // digits and most small letters
}
