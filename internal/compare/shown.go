package compare

import "tianbao"

// Query says which findings are listed.
type Query struct {
	List    List       // 0: all
	Region  tianbao.ID // 0: all
	Settled int        // 1: decided, 2: not decided, 0: all
	Offset  int
	Limit   int
}

// Cellular holds the cells of a line as they are shown, through masks.
type Cellular struct {
	Form   string
	FormV  int
	Line   int // of an old line, in its workbook
	Values tianbao.Values
}

// Shown is a finding for who may see the line. Other and PartnerUnit are nil and empty
// where the other line lies elsewhere.
type Shown struct {
	Item
	UnitName      string
	Region        tianbao.ID
	PartnerPath   string
	PartnerUnit   string
	PartnerReport tianbao.ID
	Mine, Other   *Cellular
	Verdict       *Verdict // that holds, nil: none
}

// Count is how many findings of each list there are in a region or a unit.
type Count struct {
	ID   tianbao.ID
	Name string
	N    [4]int // by list, from Matched
}

// Strange is a unit of an old list that the register does not know.
type Strange struct {
	Budget, Name, Org string
	Users             int
}

// Double is something that stands in several places of a collection.
type Double struct {
	Rows   []DoubleRow // that the viewer may see
	Hidden bool        // others have it too
}

// DoubleRow is one of its rows.
type DoubleRow struct {
	*Cellular
	Unit     tianbao.ID
	UnitName string
	Reason   string // why the person is reported by other units too, as far as somebody said
}
