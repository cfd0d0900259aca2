package tianbao

// UnitMatch is what the register has, on a day, for the values by which a row names its
// unit.
type UnitMatch struct {
	// Unit is the unit within the scope that is named, nil when none is or several are.
	// It is shared: nobody may write to it.
	Unit *Unit
	// Closed tells that it has closed and nothing took its place.
	Closed bool
	// Several tells that more than one unit of the scope is named.
	Several bool
	// Outside tells that units are named, but none within the scope.
	Outside bool
	// Aliases are other values by which the unit is known.
	Aliases []UnitAlias
}

// ID returns the unit's id, 0 when none is named for certain.
func (m *UnitMatch) ID() ID {
	if m.Unit == nil {
		return 0
	}
	return m.Unit.ID
}

// Bears reports whether the register knows the unit by a value of a field.
func (m *UnitMatch) Bears(field, value string) bool {
	if m.Unit == nil {
		return false
	}
	if value == m.Unit.Key(field) {
		return true
	}
	for _, a := range m.Aliases {
		if a.Field == field && a.Value == value {
			return true
		}
	}
	return false
}

// Key returns what the register has for a form's field, empty for one that it does not
// know.
func (u *Unit) Key(field string) string {
	switch field {
	case "org_code":
		return u.OrgCode
	case "budget_code":
		return u.BudgetCode
	case "unit_name":
		return u.Name
	case "unit_type":
		return u.Type
	}
	return ""
}

// UnitFinder looks up in the register what the values of a form's UnitKeys fields name, by
// the keys that the register has for them.
type UnitFinder func(keys map[string]string) (UnitMatch, error)
