package provision

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"tianbao"
)

// Profile says how steps are written as a file that the platform takes: its columns, in its
// own names. It is data, as a form is.
type Profile struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"` // of the worksheet, and of the file
	Columns []Column `json:"columns"`
	// Codes are the platform's words for what is done, by kind; a kind without one is written
	// by its Chinese name.
	Codes map[Kind]string `json:"codes,omitempty"`
}

// Column is one column of the file.
type Column struct {
	Title string `json:"title"` // the platform's field name
	Value string `json:"value"` // one of Values, or = and a fixed text
}

//go:embed integrated.json
var integrated []byte

// DefaultProfile returns the profile that comes with the program, of the integrated
// platform's field names.
func DefaultProfile() (*Profile, error) { return ReadProfile(integrated) }

// Values returns what a column can hold.
func Values() []string {
	return []string{
		"account", "external", "kind", "status", "login", "login_before", "name", "person", "legacy",
		"budget_code", "unit_name", "org_code", "unit_type", "budget_code_before", "unit_name_before", "more_units",
	}
}

const (
	maxProfile = 64 << 10
	maxColumns = 60
)

// ReadProfile reads a profile and checks it.
func ReadProfile(b []byte) (*Profile, error) {
	if len(b) > maxProfile {
		return nil, errors.New("provision: the profile is longer than 64 KiB")
	}
	if !utf8.Valid(b) {
		return nil, errors.New("provision: the profile is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var p Profile
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("provision: the profile is not readable: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("provision: something follows the profile")
	}
	if p.Name == "" || p.Title == "" || len(p.Columns) == 0 || len(p.Columns) > maxColumns {
		return nil, errors.New("provision: a profile has a name, a title and 1 to 60 columns")
	}
	known := make(map[string]bool)
	for _, v := range Values() {
		known[v] = true
	}
	seen := make(map[string]bool)
	for _, c := range p.Columns {
		switch {
		case strings.TrimSpace(c.Title) == "" || seen[c.Title]:
			return nil, fmt.Errorf("provision: the profile has no title, or one twice: %q", c.Title)
		case !known[c.Value] && !strings.HasPrefix(c.Value, "="):
			return nil, fmt.Errorf("provision: column %q asks for %q, which is none of %s", c.Title, c.Value, strings.Join(Values(), " "))
		}
		seen[c.Title] = true
	}
	for k := range p.Codes {
		if k.Title() == "" {
			return nil, fmt.Errorf("provision: the profile has a code for %q, which is no kind of step", k)
		}
	}
	return &p, nil
}

// Entry is a step with what a file tells of it beside.
type Entry struct {
	Kind          Kind // empty: an account as it stands
	Before, After Account
	External      string
	Units         []tianbao.Unit // of After, the home first
	Was           tianbao.Unit   // the home before, zero: none
}

// Row writes an entry in the columns of the profile. mask is applied to ids and phones, nil
// leaves them whole.
func (p *Profile) Row(e *Entry, mask func(id, phone string) (string, string)) []string {
	person, login, before := e.After.Person, e.After.Login, e.Before.Login
	if mask != nil {
		person, login = mask(person, login)
		_, before = mask("", before)
	}
	var home tianbao.Unit
	var more []string
	for i, u := range e.Units {
		if i == 0 {
			home = u
			continue
		}
		more = append(more, u.Name)
	}
	out := make([]string, len(p.Columns))
	for i, c := range p.Columns {
		switch c.Value {
		case "account":
			out[i] = e.After.ID.String()
		case "external":
			out[i] = e.External
		case "kind":
			if out[i] = p.Codes[e.Kind]; out[i] == "" {
				out[i] = e.Kind.Title()
			}
		case "status":
			if out[i] = "1"; e.After.Disabled {
				out[i] = "0"
			}
		case "login":
			out[i] = login
		case "login_before":
			if e.Before.Login != e.After.Login {
				out[i] = before
			}
		case "name":
			out[i] = e.After.Name
		case "person":
			out[i] = person
		case "legacy":
			out[i] = e.After.Legacy
		case "budget_code":
			out[i] = home.BudgetCode
		case "unit_name":
			out[i] = home.Name
		case "org_code":
			out[i] = home.OrgCode
		case "unit_type":
			out[i] = home.Type
		case "budget_code_before":
			out[i] = e.Was.BudgetCode
		case "unit_name_before":
			out[i] = e.Was.Name
		case "more_units":
			out[i] = strings.Join(more, "、")
		default:
			out[i] = strings.TrimPrefix(c.Value, "=")
		}
	}
	return out
}
