package check

import "tianbao"

// RowPasses is [Checker.Rows] for rows that are not kept, in two passes over them:
// note takes each row once, then second begins the other pass and gives what appends
// the problems of each row in turn.
func (c *Checker) RowPasses() (note func(*tianbao.Row), second func() func(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem) {
	keys := c.Keys()
	return keys.Add, func() func(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem {
		return keys.Stream().Row
	}
}
