package jsontext_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"tianbao/internal/jsontext"
)

func FuzzAppend(f *testing.F) {
	for _, s := range []string{"", "张示例", `a"b\c`, "<&>", "\u2028\u2029", "\xff\xc0", "\x00\n", "\xe2", "é\u007f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := jsontext.AppendHTML([]byte("x"), s); string(got) != "x"+string(want) {
			t.Errorf("%s, want %s", got, want)
		}
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		if got := append(jsontext.Append(nil, s), '\n'); !bytes.Equal(got, buf.Bytes()) {
			t.Errorf("%s, want %s", got, buf.Bytes())
		}
	})
}

type document struct {
	Name  string            `json:"name"`
	Count int64             `json:"count"`
	List  []document        `json:"list"`
	Cells map[string]string `json:"cells"`
}

func read(r *jsontext.Reader) (d document) {
	r.Object(func(name string) {
		switch name {
		case "name":
			d.Name = r.Text()
		case "count":
			d.Count = r.Int()
		case "list":
			d.List = []document{}
			r.Array(func() { d.List = append(d.List, read(r)) })
		case "cells":
			d.Cells = map[string]string{}
			r.Object(func(k string) { d.Cells[k] = r.Text() })
		default:
			r.Unexpected()
		}
	})
	return d
}

// What is read is what encoding/json reads, or nothing.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		`{"name":"张","count":-12,"list":[{"name":""},{}],"cells":{"a":"1","b":""}}`, ` { "list" : [ ] } `, `{"count":01}`, `{"count":1.5}`, `{"count":-0}`,
		`{"name":"a","name":"b"}`, `{"name":"\u0041"}`, `{"Name":"a"}`, `{"name":null}`, `{}{}`, `{"list":[`, `{"count":9223372036854775808}`, "{\"name\":\"\xff\"}", `{"cells":{"a":"1","a":"2"}}`, `{"name":"a",}`, `[`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := jsontext.NewReader(b)
		got := read(r)
		if !r.End() {
			return
		}
		var want document
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("%q is read, and is no such document: %v", b, err)
		}
		if dec.More() || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, want %+v", b, got, want)
		}
	})
}

func TestReaderReads(t *testing.T) {
	r := jsontext.NewReader([]byte(`{"name":"张示例","count":7,"list":[{"name":"甲","cells":{"a":"b"}}]}`))
	got := read(r)
	want := document{Name: "张示例", Count: 7, List: []document{{Name: "甲", Cells: map[string]string{"a": "b"}}}}
	if !r.End() || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}
