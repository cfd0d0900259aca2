package sheet

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"tianbao"
)

// TestValidationsAsk lets LibreOffice calculate the conditions under which a value is
// taken without asking, on values in a row of their own.
func TestValidationsAsk(t *testing.T) {
	c := newChecker(t)
	f := c.Form()
	double := person(0)
	double[1] = "另一名称"
	with := func(key, v string) []string {
		p := person(40)
		p[f.Index(key)] = v
		return p
	}
	tests := []struct {
		name, key string
		row       []string
		taken     bool
	}{
		{"a right id", "person_id", person(1), true},
		{"an id in small letters", "person_id", with("person_id", strings.ToLower(withX())), true},
		{"a wrong check digit", "person_id", with("person_id", "210102199001019014"), false},
		{"no such day", "person_id", with("person_id", "210102199002309013"), false},
		{"a digit short", "person_id", with("person_id", "21010219900101901"), false},
		{"a digit more", "person_id", with("person_id", person(2)[6]+"1"), false},
		{"words", "person_id", with("person_id", "以后补"), false},
		{"a card of 2017", "person_id", with("person_id", "KAZ110090123105"), true},
		{"the same person of the same unit", "person_id", double, false},
		{"a right code", "org_code", person(3), true},
		{"a code in small letters", "org_code", with("org_code", strings.ToLower(creditCodes()[1])), true},
		{"a wrong last character", "org_code", with("org_code", "121000004000036047"), false},
		{"a letter that codes do not have", "org_code", with("org_code", "11210102000000O103"), false},
		{"a short code", "org_code", with("org_code", "111"), false},
		{"a mobile", "phone", person(4), true},
		{"a mobile with hyphens", "phone", with("phone", "160-1234-5678"), true},
		{"a landline", "phone", with("phone", "024-23861234"), true},
		{"a short number", "phone", with("phone", "1601234567"), false},
		{"an odd beginning", "phone", with("phone", "12012345678"), false},
		{"a word", "phone", with("phone", "没有"), false},
	}
	rows := []tianbao.Row{{Seq: 1, Values: person(0)}}
	for i, tt := range tests {
		rows = append(rows, tianbao.Row{Seq: i + 2, Values: tt.row})
	}
	var b bytes.Buffer
	if err := Write(&b, f, rowsSeq(rows), WriteOptions{SelfCheck: true}); err != nil {
		t.Fatal(err)
	}
	l := layoutOf(f, true)
	const col = 60 // right of everything
	file := edited(t, b.Bytes(), func(x *excelize.File) {
		for i, tt := range tests {
			row := l.first + 1 + i
			// The formula of the first row of data, moved to this one.
			ll := *l
			ll.first = row
			v := compileSelfCheck(&ll).asks[f.Index(tt.key)]
			formula := bytes.ReplaceAll([]byte(v.formula), fmt.Appendf(nil, "$%d:", row), fmt.Appendf(nil, "$%d:", l.first))
			if err := x.SetCellFormula(sheetTitle, Address(col, row), `IFERROR(`+string(formula)+`,FALSE)`); err != nil {
				t.Fatal(err)
			}
		}
	})
	out := officeConvert(t, "csv:Text - txt - csv (StarCalc):44,34,76,1", map[string][]byte{"a.xlsx": file})["a.csv"]
	r := csv.NewReader(bytes.NewReader(out))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range tests {
		want := map[bool]string{true: "TRUE", false: "FALSE"}[tt.taken]
		if got := lines[l.first+i][col]; got != want {
			t.Errorf("%s: %s, want %s", tt.name, got, want)
		}
	}
}

// withX is a right id that ends in X.
func withX() string {
	for i := 0; ; i++ {
		if id := residentID(i); id[17] == 'X' {
			return id
		}
	}
}
