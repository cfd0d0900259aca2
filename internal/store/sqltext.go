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
	listMark  = "LIST"
)

// within puts the scope into a text at SCOPE(u.path): one range of paths for each
// subtree. The number of ranges is rounded up, so that few texts come about.
func within(sql string, scope tianbao.Scope, args ...any) (string, []any) {
	roots := reduce(scope.Paths)
	if len(roots) == 0 {
		return strings.ReplaceAll(sql, scopeMark, "1 = 0"), args
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
		fmt.Fprintf(&b, "u.path >= $%d AND u.path < $%d", len(args)+1, len(args)+2)
		args = append(args, p, p+"~")
	}
	b.WriteByte(')')
	return strings.ReplaceAll(sql, scopeMark, b.String()), args
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
