package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTakesGzip(t *testing.T) {
	tests := []struct {
		header string
		want   bool
	}{
		{"", false},
		{"gzip", true},
		{"gzip, deflate, br, zstd", true},
		{"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
		{"GZIP", true},
		{"x-gzip", true},
		{"*", true},
		{"identity", false},
		{"gzip;q=0", false},
		{"gzip;q=0, *", false},
		{"*;q=0", false},
		{"gzip;q=x", false},
		{"gzipped", false},
		{",;,=", false},
	}
	for _, tt := range tests {
		if got := takesGzip(tt.header); got != tt.want {
			t.Errorf("%q = %v, want %v", tt.header, got, tt.want)
		}
	}
}

func TestUIFile(t *testing.T) {
	assets, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{assets: assets}
	get := func(name, accept string) *http.Response {
		t.Helper()
		r := httptest.NewRequest("GET", "/ui/"+name, nil)
		r.SetPathValue("file", name)
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		if err := s.uiFile(w, r, nil); err != nil {
			return nil
		}
		return w.Result()
	}
	for _, name := range []string{"form.js", "site.css"} {
		plain, zipped := get(name, ""), get(name, "gzip, br")
		want, err := io.ReadAll(plain.Body)
		if err != nil || len(want) < 1000 {
			t.Fatalf("%s: %d bytes, %v", name, len(want), err)
		}
		if plain.Header.Get("Content-Encoding") != "" || zipped.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: encodings %q, %q", name, plain.Header.Get("Content-Encoding"), zipped.Header.Get("Content-Encoding"))
		}
		if zipped.ContentLength <= 0 || zipped.ContentLength > plain.ContentLength/2 {
			t.Errorf("%s travels as %d of %d bytes", name, zipped.ContentLength, plain.ContentLength)
		}
		if zipped.Header.Get("Vary") != "Accept-Encoding" || plain.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: a cache may mix up the two", name)
		}
		z, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: not the same file: %v", name, err)
		}
	}
	for _, name := range []string{"manifest.json", "embed.go", "", "form.ts"} {
		if get(name, "") != nil {
			t.Errorf("%q is served", name)
		}
	}
}
