package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"tianbao"
)

// maxBytes bounds a definition; the longest form of the trade is a few kilobytes.
const maxBytes = 1 << 20

// descriptor is the file as it is written: Table Schema's own keys, then ours.
type descriptor struct {
	Schema        string      `json:"$schema,omitempty"`
	Name          string      `json:"tianbao:name"`
	Version       int         `json:"tianbao:version"`
	Title         string      `json:"tianbao:title"`
	Folder        string      `json:"tianbao:folder"`
	Seq           seqDesc     `json:"tianbao:seq"`
	UnitKeys      []string    `json:"tianbao:unitKeys,omitempty"`
	IdentityKeys  []string    `json:"tianbao:identityKeys,omitempty"`
	MissingValues []string    `json:"missingValues,omitempty"`
	Fields        []fieldDesc `json:"fields"`
	CrossRules    []cross     `json:"tianbao:crossRules,omitempty"`
	Formula       []string    `json:"tianbao:formula,omitempty"`
}

type seqDesc struct {
	Key      string   `json:"key"`
	Title    string   `json:"title"`
	Synonyms []string `json:"synonyms,omitempty"`
}

type fieldDesc struct {
	Name        string      `json:"name"`
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"`
	Type        string      `json:"type"`
	Constraints constraints `json:"constraints,omitzero"`

	Letter      string                      `json:"tianbao:letter"`
	Note        string                      `json:"tianbao:note"`
	Kind        tianbao.Kind                `json:"tianbao:kind"`
	Synonyms    []string                    `json:"tianbao:synonyms,omitempty"`
	Rules       map[string]tianbao.Severity `json:"tianbao:rules"`
	Seal        bool                        `json:"tianbao:seal,omitempty"`
	Mask        tianbao.Mask                `json:"tianbao:mask,omitempty"`
	Merged      bool                        `json:"tianbao:merged,omitempty"`
	Width       int                         `json:"tianbao:width"`
	Pixels      int                         `json:"tianbao:pixels"`
	Frozen      bool                        `json:"tianbao:frozen,omitempty"`
	EnumAliases map[string]string           `json:"tianbao:enumAliases,omitempty"`
	Register    string                      `json:"tianbao:register,omitempty"`
}

type constraints struct {
	Required  bool     `json:"required,omitempty"`
	MinLength int      `json:"minLength,omitempty"`
	MaxLength int      `json:"maxLength,omitempty"`
	Pattern   string   `json:"pattern,omitempty"`
	Enum      []string `json:"enum,omitempty"`
}

type cross struct {
	Code     string           `json:"code"`
	Severity tianbao.Severity `json:"severity"`
	Same     []string         `json:"same"`
	Differ   []string         `json:"differ,omitempty"`
	At       string           `json:"at,omitempty"`
	Message  string           `json:"message"`
}

// Fault is what is wrong with a definition, at one place of its file.
type Fault struct {
	Line    int    // of the file, from 1; 0: the place is not in it
	Place   string // the keys that lead there, "fields #4 (mobile) tianbao:kind"
	Message string // a Chinese sentence
}

// String tells the fault with its place.
func (f Fault) String() string {
	return fmt.Sprintf("line %d, %s: %s", f.Line, f.Place, f.Message)
}

// Parse reads a form definition. Whatever it does not know is an error that
// names the place.
func Parse(b []byte) (*tianbao.Form, error) {
	f, faults := Read(b)
	if len(faults) > 0 {
		return nil, errors.New(faults[0].String())
	}
	return f, nil
}

// Read reads a form definition and returns everything that is wrong with it. Faults that
// leave it readable, such as an empty title, leave the form to be corrected by an editor;
// else the form is nil.
func Read(b []byte) (*tianbao.Form, []Fault) {
	d, places, fault := decode(b)
	if fault != nil {
		return nil, []Fault{*fault}
	}
	v := validation{lines: places.lines(b)}
	v.form(d)
	return d.form(), v.faults
}

// decode reads a definition strictly.
func decode(b []byte) (*descriptor, places, *Fault) {
	if len(b) > maxBytes {
		return nil, nil, &Fault{Message: "文件超过 1 MB，不是表样定义，请重新选择文件。"}
	}
	at := func(offset int64) int { return lineOf(b, offset) }
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) // as some editors begin a file
	found, fault := scan(b)
	if fault != nil {
		return nil, nil, fault
	}
	d := &descriptor{}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(d); err != nil {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) {
			return nil, nil, &Fault{at(typ.Offset), typ.Field, "这里的值类型不对，请按表样定义的格式改正。"}
		}
		if _, key, ok := strings.Cut(err.Error(), `unknown field "`); ok {
			key = strings.TrimSuffix(key, `"`)
			return nil, nil, &Fault{at(found.first(key)), key, "没有这个键，请删去或改正拼写。"}
		}
		return nil, nil, &Fault{Line: 1, Message: "文件不是 JSON，请按表样定义的格式填写。"}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, &Fault{at(dec.InputOffset()), "", "定义结束以后还有内容，请删去。"}
	}
	return d, found, nil
}

// form copies the description into the words of the trade.
func (d *descriptor) form() *tianbao.Form {
	f := &tianbao.Form{
		Name:         d.Name,
		Version:      d.Version,
		Title:        d.Title,
		Folder:       d.Folder,
		SeqKey:       d.Seq.Key,
		SeqTitle:     d.Seq.Title,
		SeqSynonyms:  d.Seq.Synonyms,
		UnitKeys:     d.UnitKeys,
		IdentityKeys: d.IdentityKeys,
		Formula:      d.Formula,
	}
	for i := range d.Fields {
		x := &d.Fields[i]
		f.Fields = append(f.Fields, tianbao.Field{
			Key:         x.Name,
			Letter:      x.Letter,
			Title:       x.Title,
			Note:        x.Note,
			Kind:        x.Kind,
			Required:    x.Constraints.Required,
			MinLength:   x.Constraints.MinLength,
			MaxLength:   x.Constraints.MaxLength,
			Enum:        x.Constraints.Enum,
			EnumAliases: x.EnumAliases,
			Synonyms:    x.Synonyms,
			Sealed:      x.Seal,
			Mask:        x.Mask,
			Merged:      x.Merged,
			Width:       x.Width,
			Pixels:      x.Pixels,
			Frozen:      x.Frozen,
			Rules:       x.Rules,
			Register:    x.Register,
		})
	}
	for _, c := range d.CrossRules {
		f.CrossRules = append(f.CrossRules, tianbao.CrossRule(c))
	}
	return f
}
