package report

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"tianbao"
)

// What is digested of a set is what the JSON package makes of it: keys that were stored by
// earlier versions must be known again.
func TestRequestJSON(t *testing.T) {
	type change struct {
		Op              tianbao.Op
		Row, After      tianbao.ID
		Temp, AfterTemp string
		Cells           []tianbao.CellEdit
		Code, Text      string
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("张a<>&\"\\\n\u2028"))))
		id := rapid.Custom(func(t *rapid.T) tianbao.ID { return tianbao.ID(rapid.Int64().Draw(t, "id")) })
		edit := rapid.Custom(func(t *rapid.T) tianbao.CellEdit {
			return tianbao.CellEdit{Field: rapid.IntRange(0, 20).Draw(t, "field"), Value: text.Draw(t, "value"), Mark: tianbao.Mark(rapid.Byte().Draw(t, "mark"))}
		})
		set := &tianbao.ChangeSet{Base: rapid.Int64().Draw(t, "base"), Imports: rapid.OneOf(rapid.Just([]tianbao.ID(nil)), rapid.SliceOf(id)).Draw(t, "imports")}
		all := make([]change, rapid.IntRange(0, 4).Draw(t, "changes"))
		for i := range all {
			c := change{
				Op: tianbao.Op(text.Draw(t, "op")), Row: id.Draw(t, "row"), After: id.Draw(t, "after"), Temp: text.Draw(t, "temp"), AfterTemp: text.Draw(t, "afterTemp"),
				Cells: rapid.OneOf(rapid.Just([]tianbao.CellEdit(nil)), rapid.SliceOf(edit)).Draw(t, "cells"), Code: text.Draw(t, "code"), Text: text.Draw(t, "text"),
			}
			all[i] = c
			set.Changes = append(set.Changes, tianbao.Change{
				Op: c.Op, Row: c.Row, After: c.After, Temp: c.Temp, AfterTemp: c.AfterTemp, Cells: c.Cells, Reason: tianbao.Reason{Code: c.Code, Text: c.Text},
			})
		}
		want, err := json.Marshal(struct {
			Base    int64
			Changes []change
			Imports []tianbao.ID
		}{set.Base, all, set.Imports})
		if err != nil {
			t.Fatal(err)
		}
		if got := requestJSON(set); string(got) != string(want) {
			t.Fatalf("%s\nwant %s", got, want)
		}
	})
}
