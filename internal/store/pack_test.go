package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tianbao"
)

// A change set comes back whole, packed or as older ones are, and ten new rows take up
// about half of what they are as JSON.
func TestChangeSetsArePacked(t *testing.T) {
	var rows []tianbao.Recorded
	for i := range 10 {
		r := tianbao.Recorded{Op: tianbao.OpInsert, Row: tianbao.ID(913813195257655304 + i<<20), AfterRow: tianbao.ID(913813195257655304 + (i-1)<<20)}
		for f, v := range []string{"101001", "沈阳市第一中学", "122101008415377699", "事业单位", fmt.Sprintf("lnzc%06d", i*7919%1000000), "张" + string(rune('一'+i*97)), fmt.Sprintf("21010219900101%04d", i*911), fmt.Sprintf("160%08d", i*7654321)} {
			r.Cells = append(r.Cells, tianbao.RecordedCell{Field: f, After: v})
		}
		rows = append(rows, r)
	}
	for name, n := range map[string]int{"short": 1, "ten rows": 10} {
		t.Run(name, func(t *testing.T) {
			b, err := encodeDelta("附注", 0, rows[:n])
			if err != nil {
				t.Fatal(err)
			}
			plain, err := unpack(b)
			if err != nil || !strings.HasPrefix(string(plain), "{") {
				t.Fatalf("%q %v", plain, err)
			}
			if n == 10 && len(b)*100 > len(plain)*60 {
				t.Errorf("%d bytes of %d", len(b), len(plain))
			}
			for _, stored := range [][]byte{b, plain} {
				var d deltaJSON
				if err := d.decode(stored); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(rows[:n], d.recorded(nil)); diff != "" || d.Note != "附注" {
					t.Error(diff)
				}
			}
		})
	}
	for name, b := range map[string][]byte{
		"nothing behind the mark": {packed}, "not packed": {packed, 9, 9, 9}, "a huge size": {packed, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}, "no JSON": []byte("x"),
	} {
		var d deltaJSON
		if d.decode(b) == nil {
			t.Errorf("%s: read", name)
		}
	}
}

// A change set is written as the JSON package would read and write it.
func TestDeltaJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("张a<>&\"\\\n\u2028"))))
		mark := rapid.Custom(func(t *rapid.T) tianbao.Mark { return tianbao.Mark(rapid.IntRange(0, 3).Draw(t, "mark")) })
		cell := rapid.Custom(func(t *rapid.T) cellJSON {
			return cellJSON{Field: rapid.IntRange(0, 20).Draw(t, "field"), Before: text.Draw(t, "before"), After: text.Draw(t, "after"), Mark: mark.Draw(t, "mark"), Was: mark.Draw(t, "was")}
		})
		one := rapid.Custom(func(t *rapid.T) changeJSON {
			c := changeJSON{Op: tianbao.Op(text.Draw(t, "op")), Row: tianbao.ID(rapid.Int64Range(0, 1<<62).Draw(t, "row")), After: rapid.Int64Range(-1, 1).Draw(t, "after"), Cells: rapid.SliceOfN(cell, 0, 3).Draw(t, "cells")}
			if rapid.Bool().Draw(t, "reason") {
				c.Reason = &tianbao.Reason{Code: text.Draw(t, "code"), Text: text.Draw(t, "text"), By: "by", At: time.Unix(1, 0).UTC()}
			}
			return c
		})
		d := deltaJSON{Note: text.Draw(t, "note"), Pieces: rapid.IntRange(0, 2).Draw(t, "pieces"), Changes: rapid.SliceOfN(one, 0, 3).Draw(t, "changes")}
		got, err := d.appendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(&d); err != nil {
			t.Fatal(err)
		}
		var a, b deltaJSON
		if err := json.Unmarshal(got, &a); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		if err := json.Unmarshal(want.Bytes(), &b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, a); diff != "" {
			t.Fatalf("%s\n%s", got, diff)
		}
		if len(got) != want.Len()-1 && !bytes.ContainsAny(got, `\`) {
			t.Fatalf("%s\nwant %s", got, want.Bytes())
		}
	})
}
