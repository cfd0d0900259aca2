package tianbao

import "strings"

// Region is a part of the province that reports. Not every region has a national
// code: 沈抚改革创新示范区 has none, so a region is its own row and GB/T 2260 only
// an attribute.
type Region struct {
	ID      ID
	Parent  ID     // 0: the province
	Code    string // GB/T 2260, may be empty
	Name    string
	InScope bool // false for Dalian in a provincial round (计划单列市)
	// Fiscal is the code of the fiscal division (财政区划代码), as the province gives it;
	// it may be empty.
	Fiscal string
}

// Unit is an administrative unit, a department or a finance bureau. Units form one
// tree: bureau above departments, departments above units.
type Unit struct {
	ID         ID
	Parent     ID // 0: the root
	Region     ID
	Path       string // "/1/12/45/": ids from the root, the unit's own last
	Name       string
	BudgetCode string
	OrgCode    string
	Type       string // a member of the form's unit_type list
	Kind       string // "bureau", "department" or "unit"
}

// PlacedUnit is a unit with its region in words.
type PlacedUnit struct {
	Unit
	RegionCode, RegionName string
}

// Scope is the part of the unit tree that a user may see: the subtrees at Paths.
// The zero Scope sees nothing.
type Scope struct {
	Paths []string
}

// Covers reports whether a unit with the given path lies within the scope.
func (s Scope) Covers(path string) bool {
	for _, p := range s.Paths {
		if p != "" && strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}
