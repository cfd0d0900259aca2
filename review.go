package tianbao

import "time"

// Level is a level of review. What was reported goes upward through those that a
// collection has.
type Level int

// The levels.
const (
	LevelUnit     Level = 1 // the unit itself, or its department
	LevelCounty   Level = 2
	LevelCity     Level = 3
	LevelProvince Level = 4
)

// Title returns the level in the users' words, "" for a level that does not exist.
func (l Level) Title() string {
	switch l {
	case LevelUnit:
		return "单位"
	case LevelCounty:
		return "县区"
	case LevelCity:
		return "市"
	case LevelProvince:
		return "省"
	}
	return ""
}

// Levels is a set of levels, a bit each.
type Levels int

// LevelsOf returns the set of the given levels.
func LevelsOf(ls ...Level) (out Levels) {
	for _, l := range ls {
		out |= 1 << l
	}
	return out
}

// Has reports whether the level is one of the set.
func (s Levels) Has(l Level) bool { return l > 0 && s&(1<<l) != 0 }

// Valid reports whether the set has existing levels only.
func (s Levels) Valid() bool {
	return s&^LevelsOf(LevelUnit, LevelCounty, LevelCity, LevelProvince) == 0
}

// List returns the levels from the lowest up.
func (s Levels) List() (out []Level) {
	for l := LevelUnit; l <= LevelProvince; l++ {
		if s.Has(l) {
			out = append(out, l)
		}
	}
	return out
}

// Top returns the highest level, 0 of an empty set.
func (s Levels) Top() Level {
	for l := LevelProvince; l >= LevelUnit; l-- {
		if s.Has(l) {
			return l
		}
	}
	return 0
}

// Remark is what a reviewer said of a cell, or of a row, when returning a unit.
type Remark struct {
	ID      ID
	Verdict ID // the return that it came with
	Report  ID
	Row     ID
	Field   string // key; empty: the row as a whole
	Text    string
	// Was is the keyed digest of what the cell held; a store makes it. The remark is met
	// when the cell holds something else.
	Was   string
	Level Level
	At    time.Time
}

// RemarkCode is the code of the problem that stands for a remark.
const RemarkCode = "review.remark"

// RemarkLabel tells the digests of remarked cells from others.
const RemarkLabel = "remarked cell"

// Proof is the file that comes with a declaration.
type Proof struct {
	Name string
	Type string // media type, by its content
	Data []byte
}
