package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tianbao"
)

// The page of a draft works without script: one form with a group of fields a column, and
// an empty group at the end for a new one. What the page does not show, such as whether a
// merged cell counts for its rows, is kept from the draft by the column's former key.

// formEditor is the data of formdraft.html.
type formEditor struct {
	CSRF    string
	Draft   wireFormDraft
	Form    *tianbao.Form
	Message string
	Columns []columnEditor
	Rules   []ruleEditor
}

// columnEditor is the group of one column; the last is empty.
type columnEditor struct {
	N int // in names of inputs, f0 …
	tianbao.Field
	New    bool
	Checks []checkEditor
}

type checkEditor struct{ Name, Text, Severity string }

// ruleEditor is the group of one rule between rows; the last is empty.
type ruleEditor struct {
	N int
	tianbao.CrossRule
	New bool
}

func editorOf(csrf string, d wireFormDraft, f *tianbao.Form, message string) *formEditor {
	e := &formEditor{CSRF: csrf, Draft: d, Form: f, Message: message}
	for i := range f.Fields {
		c := columnEditor{N: i, Field: f.Fields[i]}
		for _, name := range c.Kind.Faults() {
			if name != "required" {
				c.Checks = append(c.Checks, checkEditor{name, c.Kind.Check(name), string(c.Rules[name])})
			}
		}
		e.Columns = append(e.Columns, c)
	}
	e.Columns = append(e.Columns, columnEditor{N: len(f.Fields), New: true, Field: tianbao.Field{Kind: tianbao.KindText}})
	for i := range f.CrossRules {
		e.Rules = append(e.Rules, ruleEditor{N: i, CrossRule: f.CrossRules[i]})
	}
	e.Rules = append(e.Rules, ruleEditor{N: len(f.CrossRules), New: true})
	return e
}

// Kinds, Masks and Severities are the lists to choose from.
func (e *formEditor) Kinds() []tianbao.Kind          { return tianbao.Kinds() }
func (e *formEditor) Masks() []tianbao.Mask          { return tianbao.Masks() }
func (e *formEditor) Severities() []tianbao.Severity { return tianbao.Severities() }

// List writes a list as the page takes it.
func (e *formEditor) List(all []string) string { return strings.Join(all, " ") }

// Lines writes a list with a line each.
func (e *formEditor) Lines(all []string) string { return strings.Join(all, "\n") }

// Place is where the column stands, from 1.
func (c *columnEditor) Place() int { return c.N + 1 }

// Number writes a bound; none is empty.
func (c *columnEditor) Number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// Asked is the severity of the rule that the cell must be filled.
func (c *columnEditor) Asked() string { return string(c.Field.Rules["required"]) }

const (
	maxEditors   = 201 // groups of columns or rules that a page may send
	maxEditChars = 20_000
)

// formFields reads the inputs of one group.
type formFields struct {
	form   url.Values
	prefix string
}

func (in formFields) text(name string) string {
	return strings.Join(strings.Fields(in.form.Get(in.prefix+name)), " ")
}
func (in formFields) on(name string) bool { return in.form.Get(in.prefix+name) != "" }
func (in formFields) number(name string) int {
	n, err := strconv.Atoi(in.text(name))
	if err != nil && in.text(name) != "" {
		return -1 // the definition's reader tells of it
	}
	return n
}

// words reads a list that blanks, commas or line ends part.
func (in formFields) words(name string) []string {
	return strings.FieldsFunc(in.form.Get(in.prefix+name), func(r rune) bool {
		return strings.ContainsRune(" \t\r\n\u3000,，;；、", r)
	})
}

// edited is the form as the page's fields say, made from before; version is the state of
// the draft that the page showed.
func edited(post url.Values, before *tianbao.Form) (f *tianbao.Form, version int64, err error) {
	for _, values := range post {
		for _, text := range values {
			if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxEditChars {
				return nil, 0, badBody(nil)
			}
		}
	}
	if version, err = strconv.ParseInt(post.Get("version"), 10, 64); err != nil {
		return nil, 0, badBody(nil)
	}
	top := formFields{post, ""}
	out := *before
	out.Name, out.Title, out.Folder = top.text("name"), top.text("title"), top.text("folder")
	out.UnitKeys, out.IdentityKeys = top.words("unit_keys"), top.words("identity_keys")
	out.Fields, out.CrossRules = nil, nil
	type placed struct {
		tianbao.Field
		at int
	}
	var all []placed
	for n := range maxEditors {
		in := formFields{post, "f" + strconv.Itoa(n) + "."}
		if _, sent := post[in.prefix+"key"]; !sent {
			break
		}
		if in.on("drop") || in.text("key") == "" && in.text("title") == "" {
			continue
		}
		all = append(all, placed{editedField(in, before.Field(in.text("was"))), in.number("place")})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.at - b.at })
	for _, x := range all {
		out.Fields = append(out.Fields, x.Field)
	}
	for n := range maxEditors {
		in := formFields{post, "r" + strconv.Itoa(n) + "."}
		if _, sent := post[in.prefix+"code"]; !sent {
			break
		}
		if in.on("drop") || in.text("code") == "" && in.text("message") == "" {
			continue
		}
		out.CrossRules = append(out.CrossRules, tianbao.CrossRule{
			Code: in.text("code"), Severity: tianbao.Severity(in.text("severity")), Message: in.text("message"),
			Same: in.words("same"), Differ: in.words("differ"), At: in.text("at"),
		})
	}
	return &out, version, nil
}

// editedField reads the group of one column; was is the column as it was, nil for a new one.
func editedField(in formFields, was *tianbao.Field) tianbao.Field {
	var f tianbao.Field
	if was != nil {
		f = *was
	}
	kind := tianbao.Kind(in.text("kind"))
	other := kind != f.Kind
	f.Key, f.Title, f.Note, f.Kind = in.text("key"), in.text("title"), in.text("note"), kind
	f.MinLength, f.MaxLength = in.number("min"), in.number("max")
	f.Synonyms, f.Enum = in.words("synonyms"), in.words("enum")
	f.Mask, f.Sealed = tianbao.Mask(in.text("mask")), in.on("sealed")
	f.Register = in.text("register")
	rules := map[string]tianbao.Severity{}
	for _, name := range kind.Faults() {
		severity := tianbao.Severity(in.text("rule." + name))
		if other && name != "required" { // the page showed the checks of another kind
			severity = usual(name)
		}
		if severity != "" {
			rules[name] = severity
		}
	}
	f.Rules = rules
	_, f.Required = rules["required"]
	fitKind(&f)
	return f
}

// usual is how heavy a check of a new column weighs.
func usual(fault string) tianbao.Severity {
	switch fault {
	case "old_form", "not_public":
		return tianbao.SeverityJustify
	case "leading_zeros", "landline", "permit":
		return tianbao.SeverityHint
	}
	return tianbao.SeverityError
}

// fitKind leaves out what the column's kind has no use for, and adds what it needs: what
// the page asked of a text may have become a choice with the same click.
func fitKind(f *tianbao.Field) {
	ask := func(name string) {
		if _, asked := f.Rules[name]; !asked {
			f.Rules[name] = tianbao.SeverityError
		}
	}
	switch f.Kind {
	case tianbao.KindText, tianbao.KindName:
		if f.MinLength != 0 || f.MaxLength != 0 {
			ask("length")
		}
	case tianbao.KindCode:
		f.MinLength = 0
		if f.MaxLength != 0 {
			ask("charset")
		}
	default:
		f.MinLength, f.MaxLength = 0, 0
	}
	if f.Kind != tianbao.KindChoice {
		f.Enum, f.EnumAliases = nil, nil
	}
	var aliases map[string]string
	for from, to := range f.EnumAliases {
		if slices.Contains(f.Enum, to) && !slices.Contains(f.Enum, from) {
			if aliases == nil {
				aliases = map[string]string{}
			}
			aliases[from] = to
		}
	}
	f.EnumAliases = aliases
	switch f.Kind {
	case tianbao.KindResidentID:
		f.Sealed = true
		if f.Mask == tianbao.MaskNone {
			f.Mask = tianbao.MaskID
		}
	case tianbao.KindPhone:
		f.Sealed = true
		if f.Mask == tianbao.MaskNone {
			f.Mask = tianbao.MaskPhone
		}
	}
}
