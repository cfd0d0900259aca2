package compare

import "unicode/utf8"

// Cells is a set of cells of a pair.
type Cells uint8

// The cells that are held against each other.
const (
	CellUser Cells = 1 << iota
	CellUnit
	CellOrgCode
	CellUnitName
	CellName
	CellPerson
	CellPhone
)

// AllCells lists them in the order in which pages show them.
func AllCells() []Cells {
	return []Cells{CellUser, CellOrgCode, CellUnitName, CellName, CellPerson, CellPhone}
}

// Has reports whether the set has a cell.
func (c Cells) Has(cell Cells) bool { return c&cell != 0 }

// Rung is on what a pair was found.
type Rung uint8

// The rungs of the ladder, the most certain first. RungDecided is none of it: a person said
// so. RungWeak never pairs: it only raises a doubt.
const (
	NoRung Rung = iota
	RungDecided
	RungUser
	RungUnitPerson
	RungPerson
	RungPhone
	RungName
	RungWeak
)

// Title returns the rung in the users' words.
func (r Rung) Title() string {
	switch r {
	case RungDecided:
		return "人工认定"
	case RungUser:
		return "单位内用户名相同"
	case RungUnitPerson:
		return "单位和身份证号码相同"
	case RungPerson:
		return "身份证号码相同"
	case RungPhone:
		return "联系方式相同"
	case RungName:
		return "姓名相同，单位相同或相近"
	case RungWeak:
		return "用户名和姓名相同，单位不同"
	}
	return ""
}

// Why is the reason of a doubt.
type Why uint8

// The reasons.
const (
	NoWhy          Why = iota
	WhySeveral         // more than one answer, none better than the others
	WhyOtherPerson     // two sound ids that differ
	WhyOtherName       // names that are not alike
	WhyUnclear         // a damaged id in which nothing is recognised
	WhyWeak            // too little agrees, or something else contradicts
	WhyTaken           // the other line is paired with a third
)

// Title returns the reason in the users' words.
func (w Why) Title() string {
	switch w {
	case WhySeveral:
		return "可以配对的不止一条"
	case WhyOtherPerson:
		return "两个身份证号码都有效但不同，账号可能已经换人"
	case WhyOtherName:
		return "姓名不同，可能写错或者已经换人"
	case WhyUnclear:
		return "身份证号码有误，认不出是不是同一个"
	case WhyWeak:
		return "相同的内容太少，或者另有不同"
	case WhyTaken:
		return "对方已经和另一条配对，可能一人多条或用户名重复"
	}
	return ""
}

// relation is how two cells stand to each other.
type relation uint8

const (
	unknown relation = iota // one is empty
	equal
	alike   // a misspelt name, a damaged id, a like unit
	unclear // a damaged id in which nothing is recognised
	differs
)

func relate(a, b string) relation {
	switch {
	case a == "" || b == "":
		return unknown
	case a == b:
		return equal
	}
	return differs
}

// evidence is what two lines say of each other.
type evidence struct {
	user, unit, name, person, phone relation
	shared                          bool // names that differ and have a character in common
	sound                           bool // both ids
	agree, like, differ             Cells
}

// weigh holds two lines against each other.
func weigh(o, n *Record) evidence {
	e := evidence{user: relate(o.User, n.User), phone: relate(o.Phone, n.Phone), sound: o.Sound && n.Sound}
	e.name, e.shared = relateNames(o.Name, n.Name)
	e.person = relate(o.Person, n.Person)
	if e.person == differs && !e.sound {
		e.person = unclear
		if o.Head != "" && o.Head == n.Head || o.Tail != "" && o.Tail == n.Tail {
			e.person = alike
		}
	}
	org, unitName := relate(o.OrgCode, n.OrgCode), relate(o.UnitName, n.UnitName)
	if unitName == differs && o.like == n.like {
		unitName = alike
	}
	switch {
	case o.Unit != 0 && o.Unit == n.Unit, org == equal && (o.Unit == 0 || n.Unit == 0):
		e.unit = equal
	case o.Unit != 0 && n.Unit != 0:
		e.unit = differs
	case unitName == equal || unitName == alike:
		e.unit = alike
	case org == unknown && unitName == unknown:
		e.unit = unknown
	default:
		e.unit = differs
	}
	for _, x := range [...]struct {
		cell Cells
		r    relation
	}{{CellUser, e.user}, {CellUnit, e.unit}, {CellOrgCode, org}, {CellUnitName, unitName}, {CellName, e.name}, {CellPerson, e.person}, {CellPhone, e.phone}} {
		switch x.r {
		case equal:
			e.agree |= x.cell
		case alike:
			e.like |= x.cell
		case differs, unclear:
			e.differ |= x.cell
		}
	}
	return e
}

// inUnit reports whether both lines name one unit, or units that are alike.
func (e *evidence) inUnit() bool { return e.unit == equal || e.unit == alike }

// named reports whether the names are equal or one is the other misspelt.
func (e *evidence) named() bool { return e.name == equal || e.name == alike }

// climb returns the first rung on which the lines are a pair, or with a reason the first
// on which they might be.
func (e *evidence) climb() (Rung, Why) {
	doubt, why := NoRung, NoWhy
	for _, step := range [...]struct {
		rung Rung
		try  func(*evidence) (bool, Why)
	}{
		{RungUser, (*evidence).byUser},
		{RungUnitPerson, (*evidence).byUnitPerson},
		{RungPerson, (*evidence).byPerson},
		{RungPhone, (*evidence).byPhone},
		{RungName, (*evidence).byName},
		{RungWeak, (*evidence).byUserName},
	} {
		paired, w := step.try(e)
		if paired {
			return step.rung, NoWhy
		}
		if w != NoWhy && doubt == NoRung {
			doubt, why = step.rung, w
		}
	}
	return doubt, why
}

// byUser: the same user name in the same unit. An account that was handed on is a doubt.
func (e *evidence) byUser() (bool, Why) {
	if e.user != equal || !e.inUnit() {
		return false, NoWhy
	}
	switch {
	case e.person == equal:
		return true, NoWhy
	case e.person == differs && !(e.named() && e.phone == equal):
		return false, WhyOtherPerson
	case e.name == differs && e.phone != equal:
		return false, WhyOtherName
	case e.name == unknown && e.person == unclear:
		return false, WhyUnclear
	}
	return true, NoWhy
}

// byUnitPerson: the same id in the same unit.
func (e *evidence) byUnitPerson() (bool, Why) {
	if e.unit != equal {
		return false, NoWhy
	}
	return e.byPerson()
}

// byPerson: the same id. A number that fails its own check, as 111111… does, is one
// person's only together with the name.
func (e *evidence) byPerson() (bool, Why) {
	switch {
	case e.person != equal:
		return false, NoWhy
	case e.named() || e.user == equal || e.phone == equal:
		return true, NoWhy
	case !e.sound:
		return false, NoWhy
	case e.name == unknown || e.shared:
		return true, NoWhy
	}
	return false, WhyOtherName
}

// byPhone: the same phone, which two people may share.
func (e *evidence) byPhone() (bool, Why) {
	switch {
	case e.phone != equal:
		return false, NoWhy
	case e.person == alike:
		return true, NoWhy
	case e.person == differs && e.named():
		return false, WhyOtherPerson
	case e.person == differs:
		return false, NoWhy
	case e.named():
		return true, NoWhy
	case e.name == unknown && e.unit == equal && e.person == unknown:
		return true, NoWhy
	case e.name == unknown:
		return false, WhyWeak
	}
	return false, WhyOtherName
}

// byName: the same name in a like unit, and nothing that contradicts.
func (e *evidence) byName() (bool, Why) {
	switch {
	case e.name != equal || !e.inUnit():
		return false, NoWhy
	case e.person == alike:
		return true, NoWhy
	case e.person == differs:
		return false, WhyOtherPerson
	case e.person == unclear:
		return false, WhyUnclear
	case e.user == differs || e.phone == differs:
		return false, WhyWeak
	}
	return true, NoWhy
}

// byUserName: user name and name in another unit; never a pair.
func (e *evidence) byUserName() (bool, Why) {
	if e.user == equal && e.name == equal && e.person != differs {
		return false, WhyWeak
	}
	return false, NoWhy
}

// score tells the better of two pairs on one rung.
func (e *evidence) score() int {
	sum := 0
	for _, x := range [...]struct {
		r    relation
		good int
	}{{e.person, 16}, {e.user, 8}, {e.phone, 6}, {e.name, 4}, {e.unit, 2}} {
		switch x.r {
		case equal:
			sum += x.good
		case alike:
			sum += x.good / 2
		case differs:
			sum -= x.good / 2
		}
	}
	return sum
}

// relateNames holds two names against each other: one character of three or more that is
// another, or one that is missing, is a slip of the pen. shared tells that names which are
// not alike have a character in the same place, as 张伟 and 张炜.
func relateNames(a, b string) (r relation, shared bool) {
	if r = relate(a, b); r != differs {
		return r, false
	}
	x, y := []rune(a), []rune(b)
	if len(x) == len(y) {
		same := 0
		for i := range x {
			if x[i] == y[i] {
				same++
			}
		}
		if len(x) >= 3 && same == len(x)-1 {
			return alike, true
		}
		return differs, same > 0
	}
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y) == len(x)+1 && utf8.RuneCountInString(a) >= 2 && within(x, y) {
		return alike, true
	}
	return differs, x[0] == y[0]
}

// within reports whether x is y without one of its characters.
func within(x, y []rune) bool {
	i := 0
	for _, r := range y {
		if i < len(x) && x[i] == r {
			i++
		}
	}
	return i == len(x)
}
