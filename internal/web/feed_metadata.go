package web

import (
	"encoding/xml"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"tianbao"
)

// The feed as OData 4 metadata (CSDL): written from the same types as the answers.

type csdl struct {
	XMLName xml.Name   `xml:"edmx:Edmx"`
	Edmx    string     `xml:"xmlns:edmx,attr"`
	Version string     `xml:"Version,attr"`
	Schema  csdlSchema `xml:"edmx:DataServices>Schema"`
}

type csdlSchema struct {
	NS        string         `xml:"xmlns,attr"`
	Namespace string         `xml:"Namespace,attr"`
	Entities  []csdlEntity   `xml:"EntityType"`
	Complex   csdlComplex    `xml:"ComplexType"`
	Container *csdlContainer `xml:"EntityContainer"`
}

type csdlContainer struct {
	Name string    `xml:"Name,attr"`
	Sets []csdlSet `xml:"EntitySet"`
}

type csdlEntity struct {
	Name       string         `xml:"Name,attr"`
	Key        csdlRef        `xml:"Key>PropertyRef"`
	Properties []csdlProperty `xml:"Property"`
}

type csdlRef struct {
	Name string `xml:"Name,attr"`
}

type csdlComplex struct {
	Name       string         `xml:"Name,attr"`
	OpenType   bool           `xml:"OpenType,attr"`
	Properties []csdlProperty `xml:"Property"`
}

type csdlProperty struct {
	Name     string `xml:"Name,attr"`
	Type     string `xml:"Type,attr"`
	Nullable bool   `xml:"Nullable,attr"`
}

type csdlSet struct {
	Name string `xml:"Name,attr"`
	Type string `xml:"EntityType,attr"`
	// Not are what programs would otherwise leave to this side.
	Not []csdlNot `xml:"Annotation"`
}

type csdlNot struct {
	Term   string   `xml:"Term,attr"`
	Bool   string   `xml:"Bool,attr,omitempty"`
	Record *csdlRec `xml:"Record"`
}

type csdlRec struct {
	Value csdlValue `xml:"PropertyValue"`
}

type csdlValue struct {
	Property string `xml:"Property,attr"`
	Bool     string `xml:"Bool,attr"`
}

const feedSpace = "tianbao"

// feedTypes are the things in each set.
func feedTypes() map[string]reflect.Type {
	row := reflect.TypeFor[wireFeedRow]()
	return map[string]reflect.Type{
		"collections": reflect.TypeFor[wireFeedCollection](), "units": reflect.TypeFor[wireFeedUnit](), "progress": reflect.TypeFor[wireFeedStanding](),
		"events": reflect.TypeFor[wireFeedEvent](), "rows": row, "clear_rows": row,
	}
}

func (s *Server) feedMetadata(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	all, err := s.Catalog.Campaigns(r.Context())
	if err != nil {
		return err
	}
	values := csdlComplex{Name: "values", OpenType: true}
	for i := range all {
		rules, err := s.Reports.Rules(all[i].Form, all[i].FormV)
		if err != nil {
			return err
		}
		for _, f := range rules.Form().Fields {
			p := csdlProperty{f.Key, "Edm.String", true}
			if !slices.Contains(values.Properties, p) {
				values.Properties = append(values.Properties, p)
			}
		}
	}
	b, err := xml.MarshalIndent(metadata(values), "", " ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.Header().Set("OData-Version", "4.0")
	_, _ = w.Write(append([]byte(xml.Header), b...)) // the client is gone if it fails
	return nil
}

// metadata writes the sets; values are the cells of rows.
func metadata(values csdlComplex) *csdl {
	c := &csdl{Edmx: "http://docs.oasis-open.org/odata/ns/edmx", Version: "4.0"}
	c.Schema = csdlSchema{NS: "http://docs.oasis-open.org/odata/ns/edm", Namespace: feedSpace, Complex: values, Container: &csdlContainer{Name: "feed"}}
	types := feedTypes()
	cannot := func(term, property string) csdlNot {
		return csdlNot{Term: "Org.OData.Capabilities.V1." + term, Record: &csdlRec{csdlValue{property, "false"}}}
	}
	for _, name := range feedSets() {
		t := types[name]
		kind := strings.ToLower(strings.TrimPrefix(t.Name(), "wireFeed"))
		c.Schema.Container.Sets = append(c.Schema.Container.Sets, csdlSet{Name: name, Type: feedSpace + "." + kind, Not: []csdlNot{
			cannot("FilterRestrictions", "Filterable"), cannot("SortRestrictions", "Sortable"), cannot("CountRestrictions", "Countable"), cannot("SelectSupport", "Supported"),
			{Term: "Org.OData.Capabilities.V1.SkipSupported", Bool: "false"},
		}})
		if slices.ContainsFunc(c.Schema.Entities, func(e csdlEntity) bool { return e.Name == kind }) {
			continue
		}
		e := csdlEntity{Name: kind, Key: csdlRef{"id"}}
		for _, f := range reflect.VisibleFields(t) {
			tag, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
			p := csdlProperty{tag, "Edm.String", strings.Contains(opts, "omitempty")}
			switch {
			case f.Tag.Get("edm") == "time":
				p.Type = "Edm.DateTimeOffset"
			case f.Type == reflect.TypeFor[tianbao.ID]():
			case f.Type.Kind() == reflect.Int, f.Type.Kind() == reflect.Int64:
				p.Type = "Edm.Int64"
			case f.Type.Kind() == reflect.Bool:
				p.Type = "Edm.Boolean"
			case f.Type.Kind() == reflect.Map:
				p.Type = feedSpace + ".values"
			}
			e.Properties = append(e.Properties, p)
		}
		c.Schema.Entities = append(c.Schema.Entities, e)
	}
	return c
}
