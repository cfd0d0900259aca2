package db

import (
	"math/bits"
	"regexp"
	"strings"
	"sync"
)

// On PostgreSQL rows that go into one table one after the other go by one statement for
// several: reading and answering a message for each is a fifth of a submit. It is done here,
// so that whoever writes rows needs not know. SQLite gains nothing by it: what it spares at
// the beginning and end of a statement it loses by being able to take several rows back.

// maxGather is how many rows go by one statement at most. Numbers of rows are cut into powers
// of two, so that the texts stay few.
const maxGather = 32

// insertText is an INSERT of one row of plain arguments in their order.
var insertText = regexp.MustCompile(`^INSERT INTO [a-z_0-9]+ \([a-z_0-9, \n]+\)\s+VALUES (\(\$1(?:, \$[0-9]+)*\))$`)

// gathered are the texts of [insertText] for 2, 4, 8 … rows, or nil of other texts.
var gathered sync.Map

func gatheredTexts(sql string) []string {
	if known, ok := gathered.Load(sql); ok {
		return known.([]string)
	}
	var texts []string
	if m := insertText.FindStringSubmatch(sql); m != nil {
		width := strings.Count(m[1], "$")
		if strings.ReplaceAll(m[1], " ", "") == In(1, width) {
			for n := 2; n <= maxGather; n *= 2 {
				var b strings.Builder
				b.WriteString(sql)
				for i := 1; i < n; i++ {
					b.WriteString(", " + In(i*width+1, width))
				}
				texts = append(texts, b.String())
			}
		}
	}
	gathered.Store(sql, texts)
	return texts
}

// gather calls fn with the statements of a batch in their order, with how many of the batch
// each of them is.
func gather(batch []Statement, fn func(s Statement, rows int) error) error {
	for len(batch) > 0 {
		same := 1
		for same < len(batch) && same < maxGather && batch[same].SQL == batch[0].SQL && len(batch[same].Args) == len(batch[0].Args) {
			same++
		}
		s, rows := batch[0], 1
		if power := bits.Len(uint(same)) - 1; power > 0 {
			if texts := gatheredTexts(s.SQL); texts != nil {
				rows = 1 << power
				s = Statement{SQL: texts[power-1], Args: make([]any, 0, rows*len(s.Args))}
				for _, one := range batch[:rows] {
					s.Args = append(s.Args, one.Args...)
				}
			}
		}
		if err := fn(s, rows); err != nil {
			return err
		}
		batch = batch[rows:]
	}
	return nil
}
