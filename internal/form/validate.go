package form

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"tianbao"
)

// Widths beyond these are a slip of the pen: a workbook's column ends at 255
// characters, a screen's at a few thousand pixels.
const (
	maxWidth  = 255
	maxPixels = 2000
	maxFields = 200
)

// validate refuses a descriptor that is readable but makes no sense, with an
// error that names the place.
func validate(d *descriptor) error {
	switch {
	case !isName(d.Name, '-'):
		return fmt.Errorf("tianbao:name %q: want lower-case letters, digits and hyphens", d.Name)
	case d.Version < 1:
		return fmt.Errorf("tianbao:version %d: published versions count from 1", d.Version)
	case d.Title == "":
		return errors.New("tianbao:title is empty")
	case d.Folder == "":
		return errors.New("tianbao:folder is empty")
	case !isName(d.Seq.Key, '_'):
		return fmt.Errorf("tianbao:seq: key %q: want lower-case letters, digits and underscores", d.Seq.Key)
	case d.Seq.Title == "":
		return errors.New("tianbao:seq: title is empty")
	case len(d.Fields) == 0 || len(d.Fields) > maxFields:
		return fmt.Errorf("%d fields: want 1 to %d", len(d.Fields), maxFields)
	case d.MissingValues != nil && !slices.Equal(d.MissingValues, []string{""}):
		return errors.New(`missingValues: only [""] is supported, an empty cell is an empty text`)
	}
	keys := map[string]bool{d.Seq.Key: true}
	letters := map[string]bool{}
	heads := headers{}
	if err := heads.add(d.Seq.Key, append([]string{d.Seq.Title}, d.Seq.Synonyms...)); err != nil {
		return err
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		if !isName(f.Name, '_') {
			return fmt.Errorf("field %d: name %q: want lower-case letters, digits and underscores", i+1, f.Name)
		}
		if keys[f.Name] {
			return fmt.Errorf("field %s: the name is taken", f.Name)
		}
		keys[f.Name] = true
		if err := heads.add(f.Name, append([]string{f.Title}, f.Synonyms...)); err != nil {
			return err
		}
		if letters[f.Letter] {
			return fmt.Errorf("field %s: letter %q is taken", f.Name, f.Letter)
		}
		letters[f.Letter] = true
		if err := validateField(f); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	delete(keys, d.Seq.Key) // the row number is an order, never part of a rule or an identity
	return validateKeys(d, keys)
}

func validateField(f *fieldDesc) error {
	faults := f.Kind.Faults()
	c := &f.Constraints
	switch {
	case len(f.Letter) == 0 || len(f.Letter) > 2 || strings.Trim(f.Letter, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return fmt.Errorf("tianbao:letter %q: want A to ZZ", f.Letter)
	case f.Type != "string":
		return fmt.Errorf("type %q: every cell is text, want \"string\"", f.Type)
	case faults == nil:
		return fmt.Errorf("tianbao:kind %q is not known", f.Kind)
	case f.Note == "":
		return errors.New("tianbao:note is empty")
	case c.MinLength < 0 || c.MaxLength < 0 || c.MaxLength > 0 && c.MinLength > c.MaxLength:
		return fmt.Errorf("constraints: length from %d to %d", c.MinLength, c.MaxLength)
	case f.Width < 1 || f.Width > maxWidth:
		return fmt.Errorf("tianbao:width %d: want 1 to %d characters", f.Width, maxWidth)
	case f.Pixels < 1 || f.Pixels > maxPixels:
		return fmt.Errorf("tianbao:pixels %d: want 1 to %d", f.Pixels, maxPixels)
	}
	if err := validateLength(f); err != nil {
		return err
	}
	if _, err := regexp.Compile(c.Pattern); err != nil {
		return fmt.Errorf("constraints: pattern: %w", err)
	}
	for name, sev := range f.Rules {
		if !slices.Contains(faults, name) {
			return fmt.Errorf("tianbao:rules: a %s has no fault %q", f.Kind, name)
		}
		if !isSeverity(sev) {
			return fmt.Errorf("tianbao:rules: %s: severity %q is not known", name, sev)
		}
	}
	if _, asked := f.Rules["required"]; asked != c.Required {
		return errors.New("constraints.required and the rule \"required\" go together")
	}
	switch f.Mask {
	case tianbao.MaskNone, tianbao.MaskID, tianbao.MaskPhone, tianbao.MaskName:
	default:
		return fmt.Errorf("tianbao:mask %q is not known", f.Mask)
	}
	if f.Seal && f.Mask == tianbao.MaskNone {
		return errors.New("a sealed field needs tianbao:mask")
	}
	return validateEnum(f)
}

// validateLength refuses a bound that no rule looks at: it would be published and
// not kept.
func validateLength(f *fieldDesc) error {
	c := &f.Constraints
	_, asked := f.Rules["length"]
	switch f.Kind {
	case tianbao.KindText, tianbao.KindName:
		if !asked && (c.MinLength > 0 || c.MaxLength > 0) {
			return errors.New("constraints: a length needs the rule \"length\"")
		}
	case tianbao.KindCode:
		if _, asked := f.Rules["charset"]; c.MinLength > 0 || c.MaxLength > 0 && !asked {
			return errors.New("constraints: a code may have maxLength only, with the rule \"charset\"")
		}
	default:
		if c.MinLength > 0 || c.MaxLength > 0 {
			return fmt.Errorf("constraints: the length of a %s is given by its kind", f.Kind)
		}
	}
	return nil
}

func validateEnum(f *fieldDesc) error {
	enum := f.Constraints.Enum
	if (f.Kind == tianbao.KindChoice) != (len(enum) > 0) {
		return fmt.Errorf("constraints.enum belongs to kind %q, and only to it", tianbao.KindChoice)
	}
	seen := map[string]bool{}
	for _, v := range enum {
		// A member with blanks could never be chosen: normalisation drops them.
		if v == "" || strings.ContainsFunc(v, unicode.IsSpace) || seen[v] {
			return fmt.Errorf("constraints.enum: %q is empty, has blanks or stands twice", v)
		}
		seen[v] = true
	}
	for from, to := range f.EnumAliases {
		if from == "" || seen[from] || !seen[to] {
			return fmt.Errorf("tianbao:enumAliases: %q → %q: want another spelling → a member of enum", from, to)
		}
	}
	return nil
}

// validateKeys checks everything that refers to fields by key.
func validateKeys(d *descriptor, keys map[string]bool) error {
	for _, list := range []struct {
		what string
		keys []string
	}{{"tianbao:unitKeys", d.UnitKeys}, {"tianbao:identityKeys", d.IdentityKeys}} {
		seen := map[string]bool{}
		for _, k := range list.keys {
			if !keys[k] || seen[k] {
				return fmt.Errorf("%s: %q is not a field, or stands twice", list.what, k)
			}
			seen[k] = true
		}
	}
	for i := range d.CrossRules {
		r := &d.CrossRules[i]
		where := fmt.Sprintf("tianbao:crossRules: %s", r.Code)
		a, b, ok := strings.Cut(r.Code, ".")
		if !ok || !isName(a, '_') || !isName(b, '_') {
			return fmt.Errorf("tianbao:crossRules %d: code %q: want subject.fault", i+1, r.Code)
		}
		if !isSeverity(r.Severity) {
			return fmt.Errorf("%s: severity %q is not known", where, r.Severity)
		}
		if len(r.Same) == 0 {
			return fmt.Errorf("%s: same is empty", where)
		}
		if r.Message == "" {
			return fmt.Errorf("%s: message is empty", where)
		}
		for _, same := range r.Same {
			for _, k := range strings.Split(same, "|") {
				if !keys[k] {
					return fmt.Errorf("%s: same: %q is not a field", where, k)
				}
			}
		}
		for _, k := range r.Differ {
			if !keys[k] {
				return fmt.Errorf("%s: differ: %q is not a field", where, k)
			}
		}
		if r.At != "" && !keys[r.At] {
			return fmt.Errorf("%s: at: %q is not a field", where, r.At)
		}
	}
	return validateFormula(d)
}

// validateFormula wants each code to be one that the form can report, once.
func validateFormula(d *descriptor) error {
	codes := map[string]bool{}
	for i := range d.Fields {
		for name := range d.Fields[i].Rules {
			if name != "required" {
				name = d.Fields[i].Name + "." + name
			}
			codes[name] = true
		}
	}
	for i := range d.CrossRules {
		codes[d.CrossRules[i].Code] = true
	}
	for _, code := range d.Formula {
		if !codes[code] {
			return fmt.Errorf("tianbao:formula: %q is no fault of this form, or stands twice", code)
		}
		delete(codes, code)
	}
	return nil
}

// headers maps each header to the field it names. Columns are found by header
// (form.md §7), so no header may name two.
type headers map[string]string

func (h headers) add(field string, names []string) error {
	for _, n := range names {
		k := strings.ToLower(strings.Join(strings.Fields(n), ""))
		if k == "" {
			return fmt.Errorf("field %s: an empty header", field)
		}
		if other, taken := h[k]; taken {
			return fmt.Errorf("field %s: header %q already names %s", field, n, other)
		}
		h[k] = field
	}
	return nil
}

func isSeverity(s tianbao.Severity) bool {
	return s == tianbao.SeverityError || s == tianbao.SeverityJustify || s == tianbao.SeverityHint
}

// isName reports whether s is a machine name: a lower-case letter, then such
// letters, digits and the joiner, 63 at most (an SQL name's length).
func isName(s string, joiner rune) bool {
	if s == "" || len(s) > 63 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != joiner {
			return false
		}
	}
	return true
}
