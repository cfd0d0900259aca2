package web

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strings"
)

// openAPI serves the OpenAPI 3.1 document, generated from the route table.
func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request, _ *viewer) error {
	return s.json(w, http.StatusOK, document(s.routes, s.Version))
}

type object = map[string]any

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

// document writes the table of routes as OpenAPI 3.1. A route has a JSON answer
// where its Out is set; otherwise it answers a page or a file.
func document(routes []route, version string) object {
	schemas := object{}
	paths := object{}
	for _, rt := range routes {
		path := strings.ReplaceAll(rt.Path, "{$}", "")
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		op := object{"operationId": rt.ID, "summary": rt.Summary, "x-access": rt.Rule.name}
		var params []any
		for _, m := range pathParam.FindAllStringSubmatch(path, -1) {
			params = append(params, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
		}
		for _, q := range queryOf(rt.ID) {
			params = append(params, object{"name": q.Name, "in": "query", "schema": object{"type": "string"}, "description": q.What})
		}
		if rt.Method != http.MethodGet && rt.Rule.name != everyone.name && !rt.Rule.service {
			params = append(params, object{
				"name": "X-CSRF-Token", "in": "header", "required": true, "schema": object{"type": "string"},
				"description": "The csrf value of GET /session.",
			})
		}
		if params != nil {
			op["parameters"] = params
		}
		if rt.In != nil {
			ref := schemaOf(reflect.TypeOf(rt.In), schemas)
			media := "application/json"
			if rt.Upload {
				media = "multipart/form-data"
				all, _ := schemas[refName(reflect.TypeOf(rt.In))].(object)
				props, _ := all["properties"].(object)
				props["file"] = object{"type": "string", "format": "binary"}
			}
			op["requestBody"] = object{"required": true, "content": object{media: object{"schema": ref}}}
		}
		ok := object{"description": "Done"}
		if rt.Out != nil {
			ok["content"] = object{"application/json": object{"schema": schemaOf(reflect.TypeOf(rt.Out), schemas)}}
		}
		op["responses"] = object{"200": ok, "default": object{
			"description": "An error",
			"content": object{"application/json": object{"schema": object{
				"type": "object", "required": []string{"error"},
				"properties": object{"error": schemaOf(reflect.TypeFor[wireError](), schemas)},
			}}},
		}}
		if rt.Rule.name == everyone.name {
			op["security"] = []any{}
		}
		if rt.Rule.service {
			op["security"] = []any{object{"service": []any{}}, object{"serviceAsPassword": []any{}}}
		}
		item[strings.ToLower(rt.Method)] = op
	}
	return object{
		"openapi":  "3.1.0",
		"info":     object{"title": "tianbao", "version": version, "description": "Every resource has one route; send Accept: application/json for the answers described here. Unsafe requests carry the session cookie and the header X-CSRF-Token. Other systems ask with a service token where an operation says so."},
		"paths":    paths,
		"security": []any{object{"session": []any{}}},
		"components": object{
			"schemas": schemas,
			"securitySchemes": object{
				"session":           object{"type": "apiKey", "in": "cookie", "name": sessionCookie},
				"serviceAsPassword": object{"type": "http", "scheme": "basic", "description": "The same token as the password of any user, for programs that know nothing else."},
				"service":           object{"type": "http", "scheme": "bearer", "description": "A service token (接口令牌), made by the security administrator at /tokens."},
			},
		},
	}
}

func refName(t reflect.Type) string { return strings.TrimPrefix(t.Name(), "wire") }

// schemaOf returns the JSON Schema of a Go type; named structs go to schemas and
// are referred to.
func schemaOf(t reflect.Type, schemas object) object {
	if t.Implements(reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()) {
		return object{"type": "string", "pattern": "^[1-9][0-9]*$"} // ids
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		return object{"type": "object"} // a definition of a form
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), schemas)
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem(), schemas)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": schemaOf(t.Elem(), schemas)}
	case reflect.Struct:
		name := refName(t)
		ref := object{"$ref": "#/components/schemas/" + name}
		if _, ok := schemas[name]; ok {
			return ref
		}
		props, required := object{}, []string{}
		schemas[name] = object{} // breaks cycles
		for _, fd := range reflect.VisibleFields(t) {
			tag, opts, _ := strings.Cut(fd.Tag.Get("json"), ",")
			if fd.Anonymous {
				continue // its fields are visible by themselves
			}
			if tag == "-" || tag == "" {
				continue
			}
			props[tag] = schemaOf(fd.Type, schemas)
			if !strings.Contains(opts, "omitempty") {
				required = append(required, tag)
			}
		}
		full := object{"type": "object", "properties": props}
		if len(required) > 0 {
			full["required"] = required
		}
		schemas[name] = full
		return ref
	}
	panic("web: no schema for " + t.String())
}

// Specification returns the document as indented JSON, for the committed copy.
func Specification(version string) ([]byte, error) {
	s := &Server{}
	return json.MarshalIndent(document(s.table(), version), "", "  ")
}
