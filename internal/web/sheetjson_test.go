package web

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Sheets and windows are written as the JSON package writes them.
func TestSheetJSON(t *testing.T) {
	odd := []string{
		"", "甲", `"`, `\`, "a\nb", "\x00", "<b>&", "\u2028", "a\u2029b", "\u2027\u202a", "\xff", "甲\xe2\x80", "\x7f", "😀",
	}
	rows := []wireRow{
		{ID: "12", Version: 3, Values: odd, Reasons: []wireReason{{"c", "因为\"", "张", "2022-09-23T08:00:00+08:00"}, {Code: "d"}}},
		{ID: "13"},
		{ID: "14", Values: []string{}},
	}
	for name, out := range map[string]appender{
		"sheet": wireSheet{
			Report: wireReport{ID: 5, OwnerName: `局"rows":null`, Rows: 3}, Title: "表 <1>", Columns: []wireColumn{{Key: "rows", Note: `"rows":null`}},
			Rows: rows, Filled: 2,
		},
		"empty sheet": wireSheet{Rows: []wireRow{}},
		"no rows":     wireSheet{},
		"window":      wireWindow{Version: 7, Rows: rows},
		"no window":   wireWindow{},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := out.appendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			var want bytes.Buffer
			enc := json.NewEncoder(&want)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(out); err != nil {
				t.Fatal(err)
			}
			if string(got) != want.String() {
				t.Errorf("written\n%s\nwant\n%s", got, want.String())
			}
		})
	}
}

// A reading is known for a while, if it is the very same.
func TestReadings(t *testing.T) {
	now := time.Date(2022, 9, 23, 9, 0, 0, 0, clock.Shanghai)
	l := newReadings(func() time.Time { return now })
	what := reading{session: 1, report: 2, version: 3, rows: "25 rows", from: "10.0.0.1"}
	if l.known(what) {
		t.Error("known before it was noted")
	}
	l.note(what)
	for name, change := range map[string]func(*reading){
		"session": func(r *reading) { r.session++ },
		"report":  func(r *reading) { r.report++ },
		"version": func(r *reading) { r.version++ },
		"rows":    func(r *reading) { r.rows = "2 rows" },
		"address": func(r *reading) { r.from = "10.0.0.2" },
	} {
		other := what
		if change(&other); l.known(other) {
			t.Errorf("another %s is taken for the same reading", name)
		}
	}
	now = now.Add(readAgain - time.Second)
	if !l.known(what) {
		t.Error("forgotten too early")
	}
	now = now.Add(time.Second)
	if l.known(what) {
		t.Error("known for too long")
	}
	l.note(what) // in another span
	now = now.Add(-time.Hour)
	if l.known(what) {
		t.Error("known before it was noted, by a clock that was set back")
	}
	now = now.Add(time.Hour)
	for i := range 3 * maxReads {
		l.note(reading{report: tianbao.ID(i)})
	}
	if len(l.this)+len(l.old) > 2*maxReads || l.known(what) {
		t.Error("remembers without bound")
	}
}
