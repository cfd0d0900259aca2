package form

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"tianbao"
)

// Widths of a column that an editor says nothing about.
const (
	plainWidth  = 16
	plainPixels = 120
)

// Settle fills in what follows from the rest of a form that was edited: the letters of the
// columns by their order, widths where there are none, and which faults its workbooks find
// by themselves. Faults that before, the form as it was, has too keep the choice made there.
func Settle(f, before *tianbao.Form) {
	for i := range f.Fields {
		x := &f.Fields[i]
		x.Letter = letter(i)
		if x.Width == 0 {
			x.Width = plainWidth
		}
		if x.Pixels == 0 {
			x.Pixels = plainPixels
		}
	}
	had := map[string]bool{}
	for code := range codes(before) {
		had[code] = true
	}
	var formula []string
	for _, code := range f.Formula {
		if codes(f)[code] && had[code] && !slices.Contains(formula, code) {
			formula = append(formula, code)
		}
	}
	now := codes(f)
	for _, code := range sorted(now) {
		if now[code] && !had[code] {
			formula = append(formula, code)
		}
	}
	f.Formula = formula
}

// letter is the column's letter by its place, from A to ZZ.
func letter(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return string([]rune{rune('A' + i/26 - 1), rune('A' + i%26)})
}

// codes are the codes of the faults that a form can report, and whether formulas find them.
func codes(f *tianbao.Form) map[string]bool {
	out := map[string]bool{}
	if f == nil {
		return out
	}
	for i := range f.Fields {
		x := &f.Fields[i]
		for name := range x.Rules {
			if name == "required" {
				out[name] = true
			} else {
				out[x.Key+"."+name] = name != "leading_zeros" // only the register knows
			}
		}
	}
	for i := range f.CrossRules {
		out[f.CrossRules[i].Code] = true
	}
	return out
}

// Write writes a form as a definition. What the form does not hold, such as descriptions
// and patterns of fields that stayed as they were, is taken from old, an earlier definition
// of it; nil for none.
func Write(f *tianbao.Form, old []byte) ([]byte, error) {
	was, _, fault := decode(old)
	if fault != nil {
		was = &descriptor{}
	}
	d := descriptor{
		Schema: was.Schema, MissingValues: was.MissingValues,
		Name: f.Name, Version: f.Version, Title: f.Title, Folder: f.Folder,
		Seq: seqDesc{f.SeqKey, f.SeqTitle, f.SeqSynonyms}, UnitKeys: f.UnitKeys, IdentityKeys: f.IdentityKeys, Formula: f.Formula,
	}
	for i := range f.Fields {
		d.Fields = append(d.Fields, describe(&f.Fields[i], was))
	}
	for i := range f.CrossRules {
		d.CrossRules = append(d.CrossRules, cross(f.CrossRules[i]))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("form: write %s: %w", f.Name, err)
	}
	return b.Bytes(), nil
}

// describe writes one field.
func describe(x *tianbao.Field, was *descriptor) fieldDesc {
	d := fieldDesc{
		Name: x.Key, Title: x.Title, Type: "string", Letter: x.Letter, Note: x.Note, Kind: x.Kind,
		Constraints: constraints{Required: x.Required, MinLength: x.MinLength, MaxLength: x.MaxLength, Enum: x.Enum},
		EnumAliases: x.EnumAliases, Synonyms: x.Synonyms, Seal: x.Sealed, Mask: x.Mask, Merged: x.Merged,
		Width: x.Width, Pixels: x.Pixels, Frozen: x.Frozen, Rules: x.Rules, Register: x.Register,
	}
	if d.Rules == nil {
		d.Rules = map[string]tianbao.Severity{}
	}
	d.Constraints.Pattern = pattern(x)
	for i := range was.Fields {
		old := &was.Fields[i]
		if old.Name != x.Key {
			continue
		}
		d.Description, d.Type = old.Description, old.Type
		if old.Kind == x.Kind && old.Constraints.MaxLength == x.MaxLength {
			d.Constraints.Pattern = old.Constraints.Pattern
		}
	}
	return d
}

// pattern tells other tools how the normal form of a kind looks.
func pattern(x *tianbao.Field) string {
	switch x.Kind {
	case tianbao.KindCode:
		if x.MaxLength > 0 {
			return "[0-9A-Z]{1," + strconv.Itoa(x.MaxLength) + "}"
		}
		return "[0-9A-Z]+"
	case tianbao.KindCreditCode:
		return "([1-9ANY][0-9][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}|[0-9A-Z]{8}-?[0-9X])"
	case tianbao.KindResidentID:
		return "([0-9]{17}[0-9X]|[A-Z]{3}[0-9]{12})"
	case tianbao.KindPhone:
		return "(1[3-9][0-9]{9}|0[0-9]{2,3}-[2-8][0-9]{6,7}(-[0-9]{1,6})?)"
	}
	return ""
}
