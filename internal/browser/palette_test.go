package browser

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// A picture keeps each pixel nearly as it was, and becomes smaller.
func TestSmall(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 200, 200))
	for y := range 200 {
		for x := range 200 {
			img.SetRGBA(x, y, color.RGBA{255, 255, 255, 255})
			if x > 100 { // many shades without order, as letters have
				img.SetRGBA(x, y, color.RGBA{uint8(x * y), uint8(x * x * y), uint8(90 + x*7%40), 255})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	small, err := Small(b.Bytes())
	if err != nil || len(small) >= b.Len() {
		t.Fatalf("%d bytes of %d (%v)", len(small), b.Len(), err)
	}
	got, err := png.Decode(bytes.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	if c := rgba(got, 3, 3); c != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("white became %v", c)
	}
	for y := range 200 {
		for x := range 200 {
			was, is := channels(rgba(img, x, y)), channels(rgba(got, x, y))
			for i := range was {
				if d := was[i] - is[i]; d < -40 || d > 40 {
					t.Fatalf("%d,%d: %v became %v", x, y, was, is)
				}
			}
		}
	}
	again, err := Small(small)
	if err != nil || !bytes.Equal(again, small) {
		t.Errorf("made small again it is another: %v", err)
	}
	if _, err := Small([]byte("no picture")); err == nil {
		t.Error("what is no picture is taken")
	}
}
