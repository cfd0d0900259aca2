package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

func han(s string) bool { return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) }

var verb = regexp.MustCompile(`%[-+#0-9.]*[a-zA-Z]`)

// sentence writes an expression as a catalogue key: literals as they are, whatever
// is put in as {0}, {1} …; "" when it has no words of ours.
func sentence(e ast.Expr, n *int) string {
	hole := func() string {
		*n++
		return "{" + strconv.Itoa(*n-1) + "}"
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, err := strconv.Unquote(e.Value)
			if err == nil {
				return s
			}
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return sentence(e.X, n) + sentence(e.Y, n)
		}
	case *ast.ParenExpr:
		return sentence(e.X, n)
	case *ast.CallExpr:
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sprintf" {
			if lit, ok := e.Args[0].(*ast.BasicLit); ok {
				s, err := strconv.Unquote(lit.Value)
				if err == nil {
					s = verb.ReplaceAllStringFunc(s, func(string) string { return hole() })
					return strings.ReplaceAll(s, "%%", "%")
				}
			}
		}
	}
	return hole()
}

func TestListMessages(t *testing.T) {
	out := map[string]string{}
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			path := filepath.Join(p.Dir, f)
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				switch e.(type) {
				case *ast.BasicLit, *ast.BinaryExpr, *ast.CallExpr:
				default:
					return true
				}
				k := 0
				s := sentence(e, &k)
				if c, ok := e.(*ast.CallExpr); ok {
					if sel, ok := c.Fun.(*ast.SelectorExpr); !ok || sel.Sel.Name != "Sprintf" {
						return true
					}
				}
				if han(s) {
					rel, _ := filepath.Rel(root(t), path)
					out[s] = rel
					return false
				}
				return true
			})
		}
	}
	var lines []string
	for k, v := range out {
		lines = append(lines, v+"\t"+strings.ReplaceAll(k, "\n", "\\n"))
	}
	sort.Strings(lines)
	os.WriteFile("/tmp/pages-x/messages.txt", []byte(strings.Join(lines, "\n")), 0o600)
}
