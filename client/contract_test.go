package client_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao/client"
)

// specification is as much of docs/openapi.json as the client stands on.
type specification struct {
	Paths map[string]map[string]struct {
		Access     string `json:"x-access"`
		Parameters []struct{ Name, In string }
		Responses  map[string]struct {
			Content map[string]struct{ Schema ref }
		}
	}
	Components struct {
		Schemas map[string]struct {
			Properties map[string]property
		}
	}
}

type ref struct {
	Ref string `json:"$ref"`
}

func (r ref) name() string { return r.Ref[strings.LastIndex(r.Ref, "/")+1:] }

type property struct {
	ref
	Type  string
	Items ref
}

// What the document says of the feed and what the client asks and understands are the same,
// both ways: paths, parameters, fields and their types.
func TestContract(t *testing.T) {
	b, err := os.ReadFile("../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var spec specification
	if err := json.Unmarshal(b, &spec); err != nil {
		t.Fatal(err)
	}
	// What the client asks, on every path and with everything it can say.
	asked := make(map[string][]string)
	stub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path] = slices.Sorted(maps.Keys(r.URL.Query()))
		_, _ = w.Write([]byte(`{"value":[]}`))
	}))
	defer stub.Close()
	c := &client.Client{URL: stub.URL, Token: "x"}
	ctx := t.Context()
	_, err = c.Service(ctx)
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	fail(err)
	for range c.Collections(ctx) {
	}
	for range c.Units(ctx) {
	}
	for range c.Progress(ctx, "1") {
	}
	for range c.Events(ctx, "1") {
	}
	for range c.Rows(ctx, "1", "2") {
	}
	for range c.ClearRows(ctx, "1", "2") {
	}
	// The types that it understands, by the path.
	types := map[string]reflect.Type{
		"/service": reflect.TypeFor[client.Service](), "/api/v1/collections": reflect.TypeFor[client.Collection](), "/api/v1/units": reflect.TypeFor[client.Unit](),
		"/api/v1/progress": reflect.TypeFor[client.Standing](), "/api/v1/events": reflect.TypeFor[client.Event](),
		"/api/v1/rows": reflect.TypeFor[client.Row](), "/api/v1/clear_rows": reflect.TypeFor[client.Row](),
	}
	told := make(map[string][]string)
	for path, ops := range spec.Paths {
		op, ok := ops["get"]
		if !ok || !strings.HasPrefix(op.Access, "service") || strings.HasPrefix(path, "/scim/") || path == "/api/v1/" || path == "/api/v1/$metadata" {
			continue // those of SCIM, and what programs like Excel read of themselves
		}
		told[path] = []string{}
		for _, p := range op.Parameters {
			if p.In == "query" && !strings.HasPrefix(p.Name, "$") { // $skiptoken comes with the address of the next page
				told[path] = append(told[path], p.Name)
			}
		}
		slices.Sort(told[path])
		schema := spec.Components.Schemas[op.Responses["200"].Content["application/json"].Schema.name()]
		if value, ok := schema.Properties["value"]; ok {
			schema = spec.Components.Schemas[value.Items.name()]
		}
		want := make(map[string]string)
		for name, p := range schema.Properties {
			want[name] = p.Type
		}
		if types[path] == nil {
			continue // told below
		}
		if diff := cmp.Diff(want, fields(types[path])); diff != "" {
			t.Errorf("%s and %s (-document +client):\n%s", path, types[path].Name(), diff)
		}
	}
	for path, names := range asked {
		if len(names) == 0 {
			asked[path] = []string{}
		}
	}
	if diff := cmp.Diff(told, asked); diff != "" {
		t.Errorf("paths and parameters (-document +client):\n%s", diff)
	}
}

// fields are those of a type by their names in JSON, with the type that JSON Schema has.
func fields(t reflect.Type) map[string]string {
	out := make(map[string]string)
	for _, f := range reflect.VisibleFields(t) {
		kind := map[reflect.Kind]string{
			reflect.String: "string", reflect.Int: "integer", reflect.Int64: "integer", reflect.Bool: "boolean", reflect.Map: "object", reflect.Slice: "array",
		}[f.Type.Kind()]
		if f.Type == reflect.TypeFor[time.Time]() {
			kind = "string"
		}
		out[f.Tag.Get("json")] = kind
	}
	return out
}
