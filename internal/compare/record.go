package compare

import (
	"fmt"
	"io"
	"strings"

	"tianbao"
)

// Side tells the two lists apart.
type Side uint8

// The sides.
const (
	Old Side = iota // the old system's list
	New             // the rows that were collected
)

// Record is one line of a list, its cells in normal form; an empty cell says nothing.
// User, Person, Head, Tail and Phone may be keyed indexes of the values: only equality is
// asked of them.
type Record struct {
	ID       tianbao.ID // one within its list
	Unit     tianbao.ID // the unit of the register that the line names, 0: none for certain
	OrgCode  string
	UnitName string
	User     string
	Name     string
	Person   string // the resident id
	// Head and Tail are the pieces of the id by which a damaged one is recognised: all but
	// its last four characters, and these.
	Head, Tail string
	Sound      bool // the id passes its own check
	Phone      string
	// Place is the unit within whose subtree the line may be seen, Report the sheet in which
	// a row stands.
	Place, Report tianbao.ID

	like string // LikeUnit of UnitName
}

// Format prints the record's number whatever the verb: the cells are personal.
func (r Record) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "record "+r.ID.String()) }

// Pieces cuts an id into Head and Tail; both empty for what is too short to be cut.
func Pieces(id string) (head, tail string) {
	if len(id) < 15 {
		return "", ""
	}
	return id[:len(id)-4], id[len(id)-4:]
}

// LikeUnit brings the name of a unit into the form in which like names are equal: without
// brackets and blanks, without the province before it, and with the usual short words.
func LikeUnit(name string) string {
	name = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\u3000', '\u00a0', '(', ')', '（', '）', '·', '-', '—', '“', '”', '"', '、', ',', '，':
			return -1
		}
		return r
	}, name)
	for _, x := range [...][2]string{{"中国共产党", "中共"}, {"人民政府", "政府"}, {"委员会", "委"}, {"办公室", "办"}, {"本级", ""}, {"有限责任公司", "公司"}, {"有限公司", "公司"}} {
		name = strings.ReplaceAll(name, x[0], x[1])
	}
	if at := strings.Index(name, "省"); at > 0 && at <= len("黑龙江") && len(name) > at+len("省")+2*len("省") {
		name = name[at+len("省"):]
	}
	return name
}
