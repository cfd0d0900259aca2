package web

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
)

// tokenHead is how much of a multipart body is looked at for the form token.
const tokenHead = 1 << 10

// formToken returns the form token that a request carries: in the header, as our
// script and programs send it; as a field of a plain form; or as the first field of
// a form with a file. Of the latter only the first bytes are looked at, so that a
// file is not taken in before it is known who sends it; the body stays whole.
func formToken(r *http.Request) string {
	if token := r.Header.Get("X-CSRF-Token"); token != "" {
		return token
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		return r.PostFormValue("csrf")
	}
	body := bufio.NewReaderSize(r.Body, tokenHead)
	head, _ := body.Peek(tokenHead) // a shorter body gives what there is
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	part, err := multipart.NewReader(bytes.NewReader(head), params["boundary"]).NextPart()
	if err != nil || part.FormName() != "csrf" {
		return ""
	}
	token, err := io.ReadAll(part)
	if err != nil { // it did not end within the head
		return ""
	}
	return string(token)
}
