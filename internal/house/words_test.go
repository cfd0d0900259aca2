package house

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

func han(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

var (
	verb  = regexp.MustCompile(`%[-+#0-9.]*[a-zA-Z]`)
	holes = regexp.MustCompile(`\{\w+\}`)
	// piece is what internal/web looks up in a template.
	piece   = regexp.MustCompile(`[^<>"{}\n]*[\p{Han}（）。，：；“”][^<>"{}\n]*`)
	actions = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

func isSprintf(c *ast.CallExpr) bool {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Sprintf"
}

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
				return strings.ReplaceAll(verb.ReplaceAllStringFunc(s, func(string) string { return hole() }), "%%", "%")
			}
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return sentence(e.X, n) + sentence(e.Y, n)
		}
	case *ast.ParenExpr:
		return sentence(e.X, n)
	case *ast.CallExpr:
		if isSprintf(e) {
			return sentence(e.Args[0], n)
		}
	}
	return hole()
}

// catalogue reads a part of the English words and checks each entry by itself.
func catalogue(t *testing.T, part string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), "internal/web/ui/words/en", part+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for from, to := range m {
		a, b := holes.FindAllString(from, -1), holes.FindAllString(to, -1)
		slices.Sort(a)
		slices.Sort(b)
		if a = slices.Compact(a); !slices.Equal(a, slices.Compact(b)) {
			t.Errorf("%s: the places of %q are %v, those of %q are %v", part, from, a, to, b)
		}
	}
	return m
}

// Every piece of Chinese in a template has its English, and every English its piece.
func TestTemplatesHaveEnglish(t *testing.T) {
	words := catalogue(t, "pages")
	for from, to := range words {
		if strings.ContainsAny(to, "<>\"{}") {
			t.Errorf("the English of %q would become markup: %s", from, to)
		}
	}
	used := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(root(t), "internal/web/templates/*.html"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		for _, a := range actions.FindAllString(string(b), -1) {
			if han(a) {
				t.Errorf("%s: the action %s speaks Chinese; write it into the text", name, a)
			}
		}
		for _, run := range piece.FindAllString(string(b), -1) {
			key := strings.TrimSpace(run)
			if _, ok := words[name+"|"+key]; ok {
				used[name+"|"+key] = true
			} else if _, ok := words[key]; ok {
				used[key] = true
			} else {
				t.Errorf("words/en/pages.json lacks %q of %s", key, name)
			}
		}
	}
	for key := range words {
		if !used[key] {
			t.Errorf("words/en/pages.json: no template says %q", key)
		}
	}
}

// spoken are the packages whose sentences reach people by the pages.
var spoken = []string{"tianbao", "tianbao/internal/audit", "tianbao/internal/auth", "tianbao/internal/campaign", "tianbao/internal/check", "tianbao/internal/compare", "tianbao/internal/form", "tianbao/internal/living", "tianbao/internal/message", "tianbao/internal/news", "tianbao/internal/org", "tianbao/internal/post", "tianbao/internal/provision", "tianbao/internal/remind", "tianbao/internal/report", "tianbao/internal/web", "tianbao/internal/webhook"}

// unspoken are Chinese texts of these packages that stay as they are, by file or as
// they stand.
var unspoken = map[string]string{
	"internal/web/routes.go":            "the API document",
	"internal/web/openapi.go":           "the API document",
	"internal/check/describe.go":        "data of the rules",
	"internal/post/text.go":             "answers, which go to units",
	"internal/post/judge.go":            "answers, which go to units",
	"internal/web/certificate_paper.go": "words on paper and in a workbook",
	"internal/web/progress_export.go":   "the columns of a workbook",
	"internal/web/platform_held.go":     "the columns of a workbook",
	"验证码{0}，{1}分钟内有效。{2}登记了这个手机号，用来登录预算管理一体化平台；是您本人的，请把验证码告诉本单位的填报人，不是的请不要理会。": "a message to a phone",
	"internal/compare/record.go":   "names of units, brought into one form",
	"internal/web/progress_map.go": "words within a drawing, which is marked as Chinese",
	"截至上述时间，{0}应报单位 {1} 个，已全部完成，无遗漏。":                     "words of a paper",
	"截至上述时间，{0}应报单位 {1} 个，已完成 {2} 个，还有 {3} 个没有完成，名单列在最前。": "words of a paper",
	"-/._年月日":            "marks of dates in passwords",
	"2006年1月2日":          "a date, English has its own",
	"2006年1月2日 15:04":    "a date",
	"2006年1月2日 15:04:05": "a date",
	"1月2日 15:04":         "a date",
	"{0}-批注.xlsx":        "a file's name",
	"填报":                 "the product's name",
	`^(?:GS\p{Han}?|\p{Han}[A-Z]?S)\((?:19|20)[0-9]{2}\)[0-9]{1,6}号$`: "the shape of 审图号",
	"还不能上报：":            "a part of a sentence",
	"（{0}），请处理并提交后再上报。": "a part of a sentence",
	"第{0}行": "a part of a sentence",
	"{0}列":  "a part of a sentence",
}

// workbookWords are the files of internal/sheet that speak inside workbooks.
var workbookWords = regexp.MustCompile(`/(formula\w*|annotate\w*|template|write\w*|layout|datapackage)\.go$`)

// sentences are the Chinese texts of a package, as catalogue keys, by their file.
func sentences(t *testing.T, p pkg) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, f := range p.GoFiles {
		path := filepath.Join(p.Dir, f)
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(root(t), path)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit, *ast.BinaryExpr:
			case *ast.CallExpr:
				if !isSprintf(n) {
					return true
				}
			default:
				return true
			}
			k := 0
			if s := sentence(n.(ast.Expr), &k); han(s) {
				out[s] = rel
				return false
			}
			return true
		})
	}
	return out
}

// Every sentence that the server says to people has its English, and every English
// its sentence. The names of places do not matter here, only where they stand.
func TestMessagesHaveEnglish(t *testing.T) {
	flat := func(s string) string { return holes.ReplaceAllString(s, "{}") }
	words := catalogue(t, "messages")
	known, used := map[string]bool{}, map[string]bool{
		flat("还不能上报：{0}（{1}），请处理并提交后再上报。"): true, // put together in report/submit.go
	}
	for from := range words {
		known[flat(from)] = true
	}
	lacks := func(s, where string) {
		used[flat(s)] = true
		if !known[flat(s)] {
			t.Errorf("words/en/messages.json lacks %q of %s", s, where)
		}
	}
	for _, p := range packages(t) {
		switch {
		case slices.Contains(spoken, p.ImportPath):
			for s, file := range sentences(t, p) {
				if unspoken[file] == "" && unspoken[s] == "" && (p.ImportPath != "tianbao/internal/remind" || remindWords[s] == "") {
					lacks(s, file)
				}
			}
		case p.ImportPath == "tianbao/internal/sheet":
			// Beside sentences this holds the words of workbooks; a sentence that asks
			// for something is for the sender, except in what is written into a workbook.
			for s, file := range sentences(t, p) {
				used[flat(s)] = true
				if strings.Contains(s, "请") && !workbookWords.MatchString(file) {
					lacks(s, file)
				}
			}
		case p.ImportPath == "tianbao/internal/store":
			for s := range sentences(t, p) { // most are for operators
				used[flat(s)] = true
			}
		}
	}
	for _, s := range ruleMessages(t) {
		lacks(s, "the form")
	}
	for from := range words {
		if !used[flat(from)] {
			t.Errorf("words/en/messages.json: nobody says %q", from)
		}
	}
}

// ruleMessages are the sentences that the forms' own files hold.
func ruleMessages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root(t), "internal/form/*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"message": "([^"]+)"`).FindAllStringSubmatch(string(b), -1) {
			out = append(out, m[1])
		}
	}
	if len(out) == 0 {
		t.Fatal("the form has no sentences")
	}
	return out
}

var (
	tsComment = regexp.MustCompile(`(?s)/\*.*?\*/|(?:^|[\s;{}),])//[^\n]*`)
	tsSaid    = regexp.MustCompile(`\bt\(\s*"((?:[^"\\]|\\.)*)"`)
)

// mute are Chinese texts of scripts that stay, by file or as they stand.
var mute = map[string]string{
	"internal/web/ui/sheet/text.ts": "the first characters of pinyin initials",
	`"导出.xlsx"`:                     "a file's name",
	`"表"`:                           "the letter of a column",
}

// Every sentence of the scripts is said through t("…") and has its English, and every
// English its sentence.
func TestScriptsHaveEnglish(t *testing.T) {
	words := catalogue(t, "script")
	used := map[string]bool{}
	walk(t, func(path string, b []byte) {
		in := strings.HasPrefix(path, "internal/web/ui/page/") || strings.HasPrefix(path, "internal/web/ui/sheet/") || strings.HasPrefix(path, "internal/web/ui/rules/")
		if !in || !strings.HasSuffix(path, ".ts") || mute[path] != "" {
			return
		}
		text := tsComment.ReplaceAllString(string(b), "")
		for _, m := range tsSaid.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
			if _, ok := words[m[1]]; !ok {
				t.Errorf("words/en/script.json lacks %q of %s", m[1], path)
			}
		}
		text = tsSaid.ReplaceAllString(text, "t(")
		for word := range mute {
			text = strings.ReplaceAll(text, word, "")
		}
		for n, line := range strings.Split(text, "\n") {
			if han(line) {
				t.Errorf("%s, about line %d: Chinese that is not said through t(): %s", path, n+1, strings.TrimSpace(line))
			}
		}
	})
	for key := range words {
		if !used[key] {
			t.Errorf("words/en/script.json: no script says %q", key)
		}
	}
}
