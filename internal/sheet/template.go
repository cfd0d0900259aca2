package sheet

import "strings"

type selfCheck struct {
	columns []helper
	explain helper
	names   []defined
}
type helper struct{ name, formula string }
type defined struct{ name, formula string }

func compileSelfCheck(l *layout) *selfCheck { return &selfCheck{} }

func (s *sheetWriter) formula(h helper, n int) {}
func (s *sheetWriter) helpers(n int)           {}
func (s *sheetWriter) spare(n int)             {}
func (s *sheetWriter) colours()                {}
func (s *sheetWriter) selfValidations()        {}

const protection = ""

var formulaEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
