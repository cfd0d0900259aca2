package web

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// qrImage is a QR code as an SVG path of unit squares, with its quiet zone of four
// (ISO/IEC 18004 7.3.7). Drawn in place it needs neither a file nor a style.
type qrImage struct {
	Size int
	Path string
}

// newQR draws a text.
func newQR(text string) (qrImage, error) {
	const quiet = 4
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return qrImage{}, fmt.Errorf("web: draw a QR code: %w", err)
	}
	var b strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			n := 0
			for x+n < c.Size && c.Black(x+n, y) {
				n++
			}
			if n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, n, n)
				x += n
			}
		}
	}
	return qrImage{c.Size + 2*quiet, b.String()}, nil
}
