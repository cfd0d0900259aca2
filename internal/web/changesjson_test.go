package web

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

const someChanges = `{"key":"k-1","base":3,"note":"名册.xlsx","draft":"d","changes":[
 {"op":"insert","temp":"t0","after":"end","cells":{"person_name":"张示例","phone":""}},
 {"op":"edit","row":"12","cells":{}},{"op":"insert","temp":"t1","afterTemp":"t0"},
 {"op":"delete","row":"13"},{"op":"reason","row":"12","code":"person.elsewhere","text":"兼职"}]}`

// Those that are sent are read without the JSON package, all of their fields.
func TestPlainChanges(t *testing.T) {
	got, ok := plainChanges([]byte(someChanges))
	var want wireChanges
	if err := read(jsonRequest(someChanges), &want); err != nil {
		t.Fatal(err)
	}
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %+v, want %+v", ok, got, want)
	}
	for _, other := range []string{`{"imports":["1"],"changes":[]}`, `{"key":"\u0031","changes":[]}`, `{"Base":1}`, `{"base":1,"x":2}`, `{"changes":null}`} {
		if _, ok := plainChanges([]byte(other)); ok {
			t.Errorf("%s is not for it", other)
		}
	}
}

// FuzzChanges holds what is read of a change set, however it looks, against the JSON package.
func FuzzChanges(f *testing.F) {
	for _, s := range []string{
		someChanges, `{"imports":["1","2"],"changes":[]}`, `{"key":"a\nb","changes":null}`, `{"changes":[{"op":"x","cells":{"a":"1","a":"2"}}]}`,
		`{"base":1}{"base":2}`, `{"base":"1"}`, `[]`, ``, `{"base":1,"BASE":2}`, `{"unknown":1}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := readWireChanges(jsonRequest(body))
		var want wireChanges
		wantErr := read(jsonRequest(body), &want)
		if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v %v, want %+v %v", body, got, err, want, wantErr)
		}
	})
}

func jsonRequest(body string) *http.Request {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func BenchmarkReadChanges(b *testing.B) {
	row := `{"op":"insert","temp":"t0","after":"end","cells":{"budget_code":"101001","unit_name":"沈阳市第一中学","org_code":"122101008415377699","unit_type":"事业单位","person_name":"张示例","person_id":"210102199001011234","phone":"16000000001"}}`
	body := `{"key":"k-1","base":3,"changes":[` + strings.Repeat(row+",", 9) + row + `]}`
	for name, fn := range map[string]func(*http.Request) (wireChanges, error){
		"here": readWireChanges,
		"json": func(r *http.Request) (in wireChanges, err error) { err = read(r, &in); return in, err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if in, err := fn(jsonRequest(body)); err != nil || len(in.Changes) != 10 {
					b.Fatal(err)
				}
			}
		})
	}
}
