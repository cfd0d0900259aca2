package compare

import (
	"strings"
	"time"

	"tianbao"
)

// FormName is the form in which old lists are read: none of its columns must be there.
const FormName = "legacy-list"

// Keys of the form's fields; those of a collection's form have the same names.
const (
	KeyBudget   = "budget_code"
	KeyUnitName = "unit_name"
	KeyOrg      = "org_code"
	KeyUser     = "legacy_username"
	KeyName     = "person_name"
	KeyPerson   = "person_id"
	KeyPhone    = "phone"
)

// CellOf returns the cell that a field's key stands for, 0 for none.
func CellOf(key string) Cells {
	switch key {
	case KeyUser:
		return CellUser
	case KeyUnitName:
		return CellUnitName
	case KeyOrg:
		return CellOrgCode
	case KeyName:
		return CellName
	case KeyPerson:
		return CellPerson
	case KeyPhone:
		return CellPhone
	}
	return 0
}

// FoldUser brings a user name into the form in which equal ones are one: the old system
// took no notice of case.
func FoldUser(name string) string { return strings.ToLower(name) }

// OldList is the list of a bureau's old system as it was imported last.
type OldList struct {
	Owner     tianbao.ID // the bureau whose list it is
	OwnerName string
	OwnerPath string
	Version   int64
	At        time.Time
	By        string // who imported it
	File      string
	Rows      int
	Fresh     int // lines that the version before had not, or had with other cells
	Gone      int // lines of the version before that are there no more
	Strange   int // lines whose unit the register does not know
}

// OldUser is a line of an old list.
type OldUser struct {
	ID     tianbao.ID // stays while user name and unit, or everything else, stay
	Unit   tianbao.ID // 0: the register does not know it
	Line   int        // row of the workbook
	Values tianbao.Values
}

// NewList is a list that takes the place of the one before.
type NewList struct {
	Owner tianbao.ID
	File  string
	// Digest tells the file; Headers are the headers that a person has named the fields of,
	// to be remembered for the bureau.
	Digest  string
	Headers map[string]string
	At      time.Time
	By      tianbao.ID
	Users   []OldUser
}

// MaxList is how many lines an old list may have.
const MaxList = 300_000
