package web

import (
	"bytes"
	"io"
	"net/http"

	"tianbao/internal/jsontext"
)

// readWireChanges is [read] of a change set. Those that pages and programs send are read here,
// in a third of the time; whatever looks otherwise is left to read.
func readWireChanges(r *http.Request) (in wireChanges, err error) {
	if r.Header.Get("Content-Type") == "application/json" {
		var b bytes.Buffer
		b.Grow(int(min(max(r.ContentLength, 0), 64<<10)) + bytes.MinRead) // what a sender claims is not all believed
		if _, err := b.ReadFrom(r.Body); err != nil {
			return in, badBody(err)
		}
		if in, ok := plainChanges(b.Bytes()); ok {
			return in, nil
		}
		r.Body = io.NopCloser(&b)
	}
	err = read(r, &in)
	return in, err
}

// plainChanges reads a change set; false: it may be one, but of another look.
func plainChanges(b []byte) (in wireChanges, ok bool) {
	r := jsontext.NewReader(b)
	r.Object(func(name string) {
		switch name {
		case "key":
			in.Key = r.Text()
		case "base":
			in.Base = r.Int()
		case "note":
			in.Note = r.Text()
		case "draft":
			in.Draft = r.Text()
		case "changes":
			in.Changes = make([]wireChange, 0, 8)
			r.Array(func() { in.Changes = append(in.Changes, plainChange(r)) })
		default:
			r.Unexpected()
		}
	})
	if !r.End() {
		return wireChanges{}, false
	}
	return in, true
}

func plainChange(r *jsontext.Reader) (c wireChange) {
	r.Object(func(name string) {
		switch name {
		case "op":
			c.Op = r.Text()
		case "row":
			c.Row = r.Text()
		case "temp":
			c.Temp = r.Text()
		case "after":
			c.After = r.Text()
		case "afterTemp":
			c.AfterTemp = r.Text()
		case "cells":
			c.Cells = make(map[string]string, 8)
			r.Object(func(field string) { c.Cells[field] = r.Text() })
		case "code":
			c.Code = r.Text()
		case "text":
			c.Text = r.Text()
		default:
			r.Unexpected()
		}
	})
	return c
}
