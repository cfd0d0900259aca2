package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
