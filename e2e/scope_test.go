package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// specification is as much of the OpenAPI document as the probes need.
type specification struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Access      string `json:"x-access"`
	}
}

func (c *client) specification() specification {
	c.t.Helper()
	var s specification
	c.must("GET", "/openapi.json", nil, &s)
	if len(s.Paths) < 20 {
		c.t.Fatalf("the document has %d paths", len(s.Paths))
	}
	return s
}

// Every route that names a report, with every method it has, is 404 for a filler
// of another unit: the report, its rows, history, receipts and export.
func TestRowScope(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		owner, other, admin := s.client(t, "dept"), s.client(t, "unit"), s.client(t, "admin")
		foreign := owner.ownReport() // the department's own sheet lies above the unit
		saved := owner.save(foreign.ID, foreign.Version, inserts(0, 2))
		row := saved.Inserted["t0"]
		routes := 0
		for path, methods := range owner.specification().Paths {
			if !strings.Contains(path, "{report}") {
				continue
			}
			for method := range methods {
				routes++
				p := strings.NewReplacer("{report}", foreign.ID, "{receipt}", saved.Receipt.ID, "{version}", "1", "{job}", "1", "{row}", row).Replace(path)
				if strings.Contains(p, "{") {
					t.Fatalf("no value for a parameter of %s", path)
				}
				method = strings.ToUpper(method)
				// Each request is one that would succeed for the owner.
				body := func() (string, *bytes.Buffer) {
					switch {
					case method == "GET":
						return "", &bytes.Buffer{}
					case strings.HasSuffix(p, "/imports"):
						return "multipart/form-data; boundary=b", bytes.NewBufferString("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n单位名称\r\n--b--\r\n")
					}
					b, err := json.Marshal(map[string]any{"key": newKey()})
					if err != nil {
						t.Fatal(err)
					}
					if !strings.HasSuffix(p, "/submission") {
						b, err = json.Marshal(map[string]any{
							"key": newKey(), "base": saved.Receipt.Version,
							"changes": []change{{"op": "edit", "row": row, "cells": map[string]string{"person_name": "改示例"}}},
						})
						if err != nil {
							t.Fatal(err)
						}
					}
					return "application/json", bytes.NewBuffer(b)
				}
				for name, c := range map[string]*client{"unit": other, "admin": admin} {
					ct, b := body()
					res, got := c.do(method, p, ct, b)
					if res.StatusCode != http.StatusNotFound {
						t.Errorf("%s %s as %s: %d, want 404: %.100s", method, path, name, res.StatusCode, got)
					}
				}
				ct, b := body()
				res, _ := s.anonymous(t).do(method, p, ct, b)
				if res.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s %s without signing in: %d, want 401", method, path, res.StatusCode)
				}
				// A report that does not exist looks the same to its last byte.
				ghost := strings.Replace(p, foreign.ID, "999999999999", 1)
				ct, b = body()
				res1, b1 := other.do(method, p, ct, b)
				ct, b = body()
				res2, b2 := other.do(method, ghost, ct, b)
				if res1.StatusCode != res2.StatusCode || requestID.ReplaceAllString(string(b1), "") != requestID.ReplaceAllString(string(b2), "") {
					t.Errorf("%s %s tells a foreign report from none", method, path)
				}
			}
		}
		if routes < 9 {
			t.Errorf("only %d routes name a report", routes)
		}
		// Lists and openings by unit respect the scope too.
		if status := other.call("POST", "/campaigns/"+campaign+"/reports", map[string]string{"unit": foreign.Owner}, nil); status != http.StatusNotFound {
			t.Errorf("opening a foreign unit's report: %d, want 404", status)
		}
		var list struct{ Reports []reportJSON }
		other.must("GET", "/reports?campaign="+campaign, nil, &list)
		if len(list.Reports) != 1 {
			t.Errorf("the unit's list has %d units, want its own", len(list.Reports))
		}
		if got := owner.sheet(foreign.ID); got.Report.Version != saved.Receipt.Version || got.Rows[len(got.Rows)-1].Values[5] == "改示例" {
			t.Error("a probe changed the foreign report")
		}
	})
}

var requestID = regexp.MustCompile(`"request":"[0-9a-f]+"`)

// Every route, for everybody whom its rule keeps out: fillers get no account pages,
// administrators no sheets, strangers nothing but the way in.
func TestEveryRouteKeepsOthersOut(t *testing.T) {
	s := startDemo(t, "")
	filler, admin, nobody := s.client(t, "unit"), s.client(t, "admin"), s.anonymous(t)
	for path, methods := range nobody.specification().Paths {
		p := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "1")
		for method, op := range methods {
			method = strings.ToUpper(method)
			expect := func(who string, c *client, want ...int) {
				res, _ := c.do(method, p, "application/json", strings.NewReader("{}"))
				for _, w := range want {
					if res.StatusCode == w {
						return
					}
				}
				t.Errorf("%s %s (%s) as %s: %d, want %v", method, path, op.Access, who, res.StatusCode, want)
			}
			switch op.Access {
			case "everyone":
			case "signed-in":
				expect("nobody", nobody, 401)
			case "service", "service-accounts.read", "service-units.read", "service-progress.read", "service-rows.read", "service-rows.clear":
				expect("nobody", nobody, 401)
				expect("filler", filler, 401) // a session is no token
			case "fill":
				expect("nobody", nobody, 401)
				expect("admin", admin, 403)
			case "report-in-scope":
				expect("nobody", nobody, 401)
				expect("admin", admin, 404)
				expect("filler", filler, 404)
			case "reveal-in-scope":
				expect("nobody", nobody, 401)
				expect("admin", admin, 404)
				expect("filler", filler, 404)
			case "people":
				expect("nobody", nobody, 401)
				expect("filler", filler, 403)
				expect("admin", admin, 403)
			case "accounts":
				expect("nobody", nobody, 401)
				expect("filler", filler, 403)
			case "grants":
				expect("nobody", nobody, 401)
				expect("filler", filler, 403)
				expect("admin", admin, 403)
			case "see", "fill-or-register":
				expect("nobody", nobody, 401)
				expect("admin", admin, 403)
			case "register":
				expect("nobody", nobody, 401)
				expect("admin", admin, 403)
				expect("filler", filler, 403)
			case "unit-see", "unit-fill", "unit-register", "unit-review", "unit-reveal":
				expect("nobody", nobody, 401)
				expect("admin", admin, 404)
				expect("filler", filler, 404)
			case "campaign", "lock", "mail", "review":
				expect("nobody", nobody, 401)
				expect("filler", filler, 403)
				expect("admin", admin, 403)
			case "trail":
				expect("nobody", nobody, 401)
				expect("filler", filler, 403)
				expect("admin", admin, 403)
			default:
				t.Errorf("%s %s has the unknown rule %q", method, path, op.Access)
			}
		}
	}
}
