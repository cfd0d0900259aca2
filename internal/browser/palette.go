package browser

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// maxColours is what a picture of the manual is made of: pages have few colours and many
// shades of letters, and a third of the bytes is left. The pictures go into the program.
const maxColours = 256

// Small writes a PNG anew with at most 256 colours. What comes out is smaller, or the
// picture as it was.
func Small(picture []byte) ([]byte, error) {
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, fmt.Errorf("browser: read a picture: %w", err)
	}
	count := make(map[color.RGBA]int)
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[rgba(img, x, y)]++
		}
	}
	palette, index := colours(count)
	out := image.NewPaletted(b, palette)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out.SetColorIndex(x, y, index[rgba(img, x, y)])
		}
	}
	var buf bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&buf, out); err != nil {
		return nil, fmt.Errorf("browser: write a picture: %w", err)
	}
	if buf.Len() >= len(picture) {
		return picture, nil
	}
	return buf.Bytes(), nil
}

func rgba(img image.Image, x, y int) color.RGBA {
	c, _ := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
	return c
}

// shade is a colour with the number of its pixels.
type shade struct {
	c color.RGBA
	n int
}

// colours chooses a palette by median cut, and says which of it stands for each colour.
func colours(count map[color.RGBA]int) (color.Palette, map[color.RGBA]uint8) {
	var all []shade
	for c, n := range count {
		all = append(all, shade{c, n})
	}
	slices.SortFunc(all, func(a, b shade) int { // a map has no order, a picture has
		return cmp.Or(cmp.Compare(a.c.R, b.c.R), cmp.Compare(a.c.G, b.c.G), cmp.Compare(a.c.B, b.c.B), cmp.Compare(a.c.A, b.c.A))
	})
	boxes := [][]shade{all}
	for len(boxes) < maxColours {
		// The box whose colours lie furthest apart is cut, so that none is far from its own.
		most, which, part := 0, -1, 0
		for i, box := range boxes {
			if wide, channel := spread(box); wide > most {
				most, which, part = wide, i, channel
			}
		}
		if which < 0 {
			break // each box is one colour
		}
		low, high := cut(boxes[which], part)
		boxes[which] = low
		boxes = append(boxes, high)
	}
	palette := make(color.Palette, len(boxes))
	index := make(map[color.RGBA]uint8, len(all))
	for i, box := range boxes {
		// The colour of most pixels stands for its box: white stays white.
		palette[i] = slices.MaxFunc(box, func(a, b shade) int { return cmp.Compare(a.n, b.n) }).c
		for _, s := range box {
			index[s.c] = uint8(i) //nolint:gosec // fewer than 256
		}
	}
	return palette, index
}

func channels(c color.RGBA) [4]int { return [4]int{int(c.R), int(c.G), int(c.B), int(c.A)} }

// spread is how far the colours of a box lie apart, and in which channel.
func spread(box []shade) (wide, channel int) {
	low, high := channels(box[0].c), channels(box[0].c)
	for _, s := range box {
		for i, v := range channels(s.c) {
			low[i], high[i] = min(low[i], v), max(high[i], v)
		}
	}
	for i := range low {
		if w := high[i] - low[i]; w > wide {
			wide, channel = w, i
		}
	}
	return wide, channel
}

// cut divides a box in the middle of a channel.
func cut(box []shade, channel int) (low, high []shade) {
	least, most := 255, 0
	for _, s := range box {
		v := channels(s.c)[channel]
		least, most = min(least, v), max(most, v)
	}
	for _, s := range box {
		if 2*channels(s.c)[channel] <= least+most {
			low = append(low, s)
		} else {
			high = append(high, s)
		}
	}
	return low, high
}
