package org

import (
	"strings"

	"tianbao"
)

// regionFinder finds regions by code, by name where it is one, and by the names of the
// regions above it and its own: 鞍山市铁西区.
type regionFinder struct {
	byText map[string]tianbao.ID // 0: several
	up     map[tianbao.ID]tianbao.ID
	all    map[tianbao.ID]tianbao.Region
}

func newRegionFinder(regions []tianbao.Region) *regionFinder {
	f := &regionFinder{byText: map[string]tianbao.ID{}, up: map[tianbao.ID]tianbao.ID{}, all: map[tianbao.ID]tianbao.Region{}}
	put := func(text string, id tianbao.ID) {
		if other, taken := f.byText[text]; taken && other != id {
			id = 0
		}
		if text != "" {
			f.byText[text] = id
		}
	}
	for _, r := range regions {
		f.up[r.ID], f.all[r.ID] = r.Parent, r
	}
	for _, r := range regions {
		put(r.Code, r.ID)
		put(r.Fiscal, r.ID)
		name := ""
		for at := r.ID; at != 0; at = f.up[at] {
			name = f.all[at].Name + name
			put(name, r.ID)
		}
	}
	return f
}

// find returns the region that a text names, false for none and for several.
func (f *regionFinder) find(text string) (tianbao.ID, bool) {
	text = strings.Join(strings.Fields(text), "")
	id := f.byText[text]
	return id, id != 0
}

func (f *regionFinder) parent(id tianbao.ID) tianbao.ID { return f.up[id] }

func (f *regionFinder) name(id tianbao.ID) string { return f.all[id].Name }
