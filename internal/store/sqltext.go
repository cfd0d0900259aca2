package store

import (
	"fmt"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/db"
)

const (
	scopeMark = "SCOPE(u.path)"
	// scanMark asks the same of each row of a query that reads the whole table, or that has
	// found its units already: a range of paths by which no engine goes to an index.
	scanMark = "SCAN(u.path)"
	listMark = "LIST"
	// placesMark asks for the rows at some places.
	placesMark = "PLACES(w)"
)

// within puts the scope into a text at SCOPE(u.path) or SCAN(u.path): one range of paths for each
// subtree. The number of ranges is rounded up, so that few texts come about.
func within(sql string, scope tianbao.Scope, args ...any) (string, []any) {
	return withinAfter(sql, scope, "", args...)
}

// withinAfter is within for a text that asks for what lies behind a path: the ranges begin
// no earlier, since an engine that may choose between two beginnings takes the wrong one.
func withinAfter(sql string, scope tianbao.Scope, after string, args ...any) (string, []any) {
	roots := slices.DeleteFunc(reduce(scope.Paths), func(p string) bool { return p+"~" < after })
	mark, path := scopeMark, "u.path"
	if strings.Contains(sql, scanMark) {
		mark, path = scanMark, "u.path || ''"
	}
	switch {
	case len(roots) == 0:
		return strings.ReplaceAll(sql, mark, "1 = 0"), args
	case mark == scanMark && roots[0] == "/":
		return strings.ReplaceAll(sql, mark, "1 = 1"), args
	}
	n := 1
	for n < len(roots) {
		n *= 2
	}
	var b strings.Builder
	b.WriteByte('(')
	for i := range n {
		// Paths consist of digits and slashes, so every path of the subtree, and
		// none else, is at least p and less than p + "~".
		p := roots[min(i, len(roots)-1)]
		if i > 0 {
			b.WriteString(" OR ")
		}
		fmt.Fprintf(&b, "%s >= $%d AND %s < $%d", path, len(args)+1, path, len(args)+2)
		args = append(args, max(p, after), p+"~")
	}
	b.WriteByte(')')
	return strings.ReplaceAll(sql, mark, b.String()), args
}

// reduce sorts the paths and leaves out those that lie below another, and empty
// ones, which see nothing (as in tianbao.Scope.Covers).
func reduce(paths []string) []string {
	out := make([]string, 0, len(paths))
	for _, p := range slices.Sorted(slices.Values(paths)) {
		if p != "" && (len(out) == 0 || !strings.HasPrefix(p, out[len(out)-1])) {
			out = append(out, p)
		}
	}
	return out
}

// listed puts values into a text at LIST and calls fn for each chunk of them.
func listed[T any](sql string, values []T, args []any, fn func(sql string, args []any) error) error {
	for chunk := range slices.Chunk(values, db.MaxIn) {
		list := make([]any, len(chunk))
		for i, v := range chunk {
			list[i] = v
		}
		list = db.PadIn(list)
		text := strings.Replace(sql, listMark, db.In(len(args)+1, len(list)), 1)
		if err := fn(text, append(slices.Clip(args), list...)); err != nil {
			return err
		}
	}
	return nil
}

// maxPlaces is how many places one statement asks for.
const maxPlaces = 64

// atPlaces puts places of rows into a text at PLACES(w) and calls fn for each chunk of them.
func atPlaces(sql string, places []tianbao.RowPlace, args []any, fn func(sql string, args []any) error) error {
	for chunk := range slices.Chunk(places, maxPlaces) {
		n := 1
		for n < len(chunk) {
			n *= 2
		}
		var b strings.Builder
		b.WriteByte('(')
		all := slices.Clip(args)
		for i := range n {
			at := chunk[min(i, len(chunk)-1)]
			if i > 0 {
				b.WriteString(" OR ")
			}
			fmt.Fprintf(&b, "w.report_id = $%d AND w.row_id = $%d", len(all)+1, len(all)+2)
			all = append(all, at.Report, at.Row)
		}
		b.WriteByte(')')
		if err := fn(strings.Replace(sql, placesMark, b.String(), 1), all); err != nil {
			return err
		}
	}
	return nil
}

// contains returns the LIKE pattern, with \ as escape, for text that contains q in
// either case.
func contains(q string) string {
	return "%" + escapeLike(lowerASCII(q)) + "%"
}

// escapeLike takes the meaning that % and _ have in a LIKE pattern from s.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// lowerASCII lowers what the lower() of both engines lowers.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}
