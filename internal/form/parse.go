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
	Schema        string      `json:"$schema"`
	Fields        []fieldDesc `json:"fields"`
	MissingValues []string    `json:"missingValues"`
	Name          string      `json:"tianbao:name"`
	Version       int         `json:"tianbao:version"`
	Title         string      `json:"tianbao:title"`
	Folder        string      `json:"tianbao:folder"`
	Seq           seqDesc     `json:"tianbao:seq"`
	UnitKeys      []string    `json:"tianbao:unitKeys"`
	IdentityKeys  []string    `json:"tianbao:identityKeys"`
	CrossRules    []cross     `json:"tianbao:crossRules"`
	Formula       []string    `json:"tianbao:formula"`
}

type seqDesc struct {
	Key      string   `json:"key"`
	Title    string   `json:"title"`
	Synonyms []string `json:"synonyms"`
}

type fieldDesc struct {
	Name        string      `json:"name"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	Type        string      `json:"type"`
	Constraints constraints `json:"constraints"`

	Letter      string                      `json:"tianbao:letter"`
	Note        string                      `json:"tianbao:note"`
	Kind        tianbao.Kind                `json:"tianbao:kind"`
	Synonyms    []string                    `json:"tianbao:synonyms"`
	Rules       map[string]tianbao.Severity `json:"tianbao:rules"`
	Seal        bool                        `json:"tianbao:seal"`
	Mask        tianbao.Mask                `json:"tianbao:mask"`
	Merged      bool                        `json:"tianbao:merged"`
	Width       int                         `json:"tianbao:width"`
	Pixels      int                         `json:"tianbao:pixels"`
	Frozen      bool                        `json:"tianbao:frozen"`
	EnumAliases map[string]string           `json:"tianbao:enumAliases"`
}

type constraints struct {
	Required  bool     `json:"required"`
	MinLength int      `json:"minLength"`
	MaxLength int      `json:"maxLength"`
	Pattern   string   `json:"pattern"`
	Enum      []string `json:"enum"`
}

type cross struct {
	Code     string           `json:"code"`
	Severity tianbao.Severity `json:"severity"`
	Same     []string         `json:"same"`
	Differ   []string         `json:"differ"`
	At       string           `json:"at"`
	Message  string           `json:"message"`
}

// Parse reads a form definition. Whatever it does not know is an error that
// names the place.
func Parse(b []byte) (*tianbao.Form, error) {
	if len(b) > maxBytes {
		return nil, fmt.Errorf("definition is longer than %d bytes", maxBytes)
	}
	if err := strictKeys(b); err != nil {
		return nil, err
	}
	var d descriptor
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("read definition: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read definition: text after its end")
	}
	if err := validate(&d); err != nil {
		return nil, err
	}
	return d.form(), nil
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
		})
	}
	for _, c := range d.CrossRules {
		f.CrossRules = append(f.CrossRules, tianbao.CrossRule(c))
	}
	return f
}

// strictKeys refuses what encoding/json lets pass: a key that stands twice in an
// object, be it in another case. The second would silently replace the first.
func strictKeys(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	type level struct {
		object, value bool // inside an object; its next token is a value
		keys          map[string]bool
	}
	var stack []level
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read definition: %w", err)
		}
		if top := len(stack) - 1; top >= 0 && stack[top].object {
			if key, ok := tok.(string); ok && !stack[top].value {
				folded := strings.ToLower(key)
				if stack[top].keys[folded] {
					return fmt.Errorf("key %q stands twice in one object", key)
				}
				stack[top].keys[folded], stack[top].value = true, true
				continue
			}
			stack[top].value = false
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, level{object: true, keys: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
	}
}
