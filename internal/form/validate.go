package form

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"tianbao"
)

// Widths beyond these are a slip of the pen: a workbook's column ends at 255
// characters, a screen's at a few thousand pixels.
const (
	maxWidth  = 255
	maxPixels = 2000
	maxFields = 200
	maxFaults = 100
	maxText   = 500 // characters of a title, a note, a message
)

// validation gathers what makes no sense in a descriptor that is readable.
type validation struct {
	faults []Fault
	lines  map[string]int
}

// say adds a fault at a path of the file, which place shows to people.
func (v *validation) say(path, place, message string) {
	if len(v.faults) >= maxFaults {
		return
	}
	line := v.lines[path]
	for line == 0 && path != "" { // a key that is not there: where it should be
		path = path[:max(strings.LastIndexByte(path, '/'), 0)]
		line = v.lines[path]
	}
	v.faults = append(v.faults, Fault{line, place, message})
}

// at says a fault of a key at the top.
func (v *validation) at(key, message string) { v.say(key, key, message) }

// text says what is wrong with a text that people read.
func (v *validation) text(path, place, text string) {
	switch {
	case strings.TrimSpace(text) == "":
		v.say(path, place, "没有填写，请补填。")
	case len([]rune(text)) > maxText || strings.ContainsFunc(text, unicode.IsControl):
		v.say(path, place, "太长，或者有换行等控制字符，请改短成一行。")
	}
}

// form checks the whole of a descriptor.
func (v *validation) form(d *descriptor) {
	if !isName(d.Name, '-') {
		v.at("tianbao:name", "表样代号由小写字母、数字和连字符组成，以字母开头，最长63个字符，请改正。")
	}
	if d.Version < 1 {
		v.at("tianbao:version", "版本从1开始，请改正。")
	}
	v.text("tianbao:title", "tianbao:title", d.Title)
	v.text("tianbao:folder", "tianbao:folder", d.Folder)
	if !isName(d.Seq.Key, '_') {
		v.say("tianbao:seq/key", "tianbao:seq key", sayKey())
	}
	v.text("tianbao:seq/title", "tianbao:seq title", d.Seq.Title)
	if len(d.Fields) == 0 || len(d.Fields) > maxFields {
		v.at("fields", "一张表要有1至200栏，请增减。")
		return
	}
	if d.MissingValues != nil && !slices.Equal(d.MissingValues, []string{""}) {
		v.at("missingValues", "只能是 [\"\"]，请改正或删去。")
	}
	keys := map[string]bool{d.Seq.Key: true}
	letters := map[string]bool{}
	heads := headers{}
	heads.add(v, "tianbao:seq", "tianbao:seq", d.Seq.Key, append([]string{d.Seq.Title}, d.Seq.Synonyms...))
	for i := range d.Fields {
		f := &d.Fields[i]
		at := fieldPlace{v, i, f}
		switch {
		case !isName(f.Name, '_'):
			at.say("name", sayKey())
		case keys[f.Name]:
			at.say("name", "这个字段名已经用过，请换一个。")
		}
		keys[f.Name] = true
		heads.add(v, at.path("title"), at.place("title"), f.Name, append([]string{f.Title}, f.Synonyms...))
		if letters[f.Letter] {
			at.say("tianbao:letter", "这个列号已经用过，请按顺序重排。")
		}
		letters[f.Letter] = true
		at.field()
	}
	delete(keys, d.Seq.Key) // the row number is an order, never part of a rule or an identity
	v.keys(d, keys)
}

func sayKey() string {
	return "由小写字母、数字和下划线组成，以字母开头，最长63个字符，请改正。"
}

// fieldPlace is where the faults of a field are told.
type fieldPlace struct {
	v *validation
	i int
	f *fieldDesc
}

func (at fieldPlace) path(key string) string { return "fields/" + strconv.Itoa(at.i) + "/" + key }

func (at fieldPlace) place(key string) string {
	return fmt.Sprintf("fields #%d (%s) %s", at.i+1, at.f.Name, strings.ReplaceAll(key, "/", " "))
}

func (at fieldPlace) say(key, message string) { at.v.say(at.path(key), at.place(key), message) }

// field checks one field by itself.
func (at fieldPlace) field() {
	f := at.f
	faults := f.Kind.Faults()
	c := &f.Constraints
	if len(f.Letter) == 0 || len(f.Letter) > 2 || strings.Trim(f.Letter, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		at.say("tianbao:letter", "列号是A至ZZ的大写字母，请改正。")
	}
	if f.Type != "string" {
		at.say("type", "每一栏都按文字保存，只能是 \"string\"，请改正。")
	}
	at.v.text(at.path("tianbao:note"), at.place("tianbao:note"), f.Note)
	if c.MinLength < 0 || c.MaxLength < 0 || c.MaxLength > 0 && c.MinLength > c.MaxLength {
		at.say("constraints", "最短不能大于最长，也不能是负数，请改正。")
	}
	if f.Width < 1 || f.Width > maxWidth {
		at.say("tianbao:width", "列宽是1至255个字符，请改正。")
	}
	if f.Pixels < 1 || f.Pixels > maxPixels {
		at.say("tianbao:pixels", "屏幕列宽是1至2000像素，请改正。")
	}
	if _, err := regexp.Compile(c.Pattern); err != nil {
		at.say("constraints/pattern", "这个正则表达式有语法错误，请改正或删去。")
	}
	switch f.Mask {
	case tianbao.MaskNone, tianbao.MaskID, tianbao.MaskPhone, tianbao.MaskName, tianbao.MaskMail:
	default:
		at.say("tianbao:mask", "隐去方式只有 id、phone、name、mail 四种，请改正。")
	}
	if f.Seal && f.Mask == tianbao.MaskNone {
		at.say("tianbao:mask", "加密保存的一栏要选隐去方式，请补上。")
	}
	switch f.Register {
	case "", "org_code", "budget_code", "unit_name", "unit_type":
	default:
		at.say("tianbao:register", "登记册只有 org_code、budget_code、unit_name、unit_type 四项，请改正。")
	}
	if faults == nil {
		at.say("tianbao:kind", "没有这种类型，请从已有的类型中选。")
		return // what follows depends on the kind
	}
	if personal(f.Kind) && !f.Seal {
		at.say("tianbao:seal", "身份证号码和电话必须加密保存，请补上。")
	}
	at.length()
	for _, name := range sorted(f.Rules) {
		if !slices.Contains(faults, name) {
			at.say("tianbao:rules/"+name, "这种类型没有这项检查，请删去或改正拼写。")
		}
		if !isSeverity(f.Rules[name]) {
			at.say("tianbao:rules/"+name, "轻重只有 error、justify、hint 三种，请改正。")
		}
	}
	if _, asked := f.Rules["required"]; asked != c.Required {
		at.say("constraints/required", "必填要同时写在 constraints.required 和 tianbao:rules 的 required 中，请补上或删去。")
	}
	at.enum()
}

// personal reports whether values of a kind are never on disk in clear.
func personal(k tianbao.Kind) bool { return k == tianbao.KindResidentID || k == tianbao.KindPhone }

// length refuses a bound that no rule looks at: it would be published and not kept.
func (at fieldPlace) length() {
	f, c := at.f, &at.f.Constraints
	_, asked := f.Rules["length"]
	switch f.Kind {
	case tianbao.KindText, tianbao.KindName:
		if !asked && (c.MinLength > 0 || c.MaxLength > 0) {
			at.say("constraints", "限定长度要有检查 length，请补上。")
		}
	case tianbao.KindCode:
		if _, asked := f.Rules["charset"]; c.MinLength > 0 || c.MaxLength > 0 && !asked {
			at.say("constraints", "编码只能限定最长，并且要有检查 charset，请改正。")
		}
	default:
		if c.MinLength > 0 || c.MaxLength > 0 {
			at.say("constraints", "这种类型的长度是固定的，请删去限定。")
		}
	}
}

func (at fieldPlace) enum() {
	f := at.f
	enum := f.Constraints.Enum
	if (f.Kind == tianbao.KindChoice) != (len(enum) > 0) {
		at.say("constraints/enum", "列表选择的一栏要有选项，其他类型不能有，请改正。")
	}
	seen := map[string]bool{}
	for i, x := range enum {
		// A member with blanks could never be chosen: normalisation drops them.
		if x == "" || strings.ContainsFunc(x, unicode.IsSpace) || seen[x] {
			at.say("constraints/enum/"+strconv.Itoa(i), "选项不能为空、含空格或重复，请改正。")
		}
		seen[x] = true
	}
	for _, from := range sorted(f.EnumAliases) {
		if from == "" || seen[from] || !seen[f.EnumAliases[from]] {
			at.say("tianbao:enumAliases/"+from, "别的写法要对应一个选项，并且自己不是选项，请改正。")
		}
	}
}

// keys checks everything that refers to fields by key.
func (v *validation) keys(d *descriptor, keys map[string]bool) {
	for _, list := range []struct {
		what string
		keys []string
	}{{"tianbao:unitKeys", d.UnitKeys}, {"tianbao:identityKeys", d.IdentityKeys}} {
		seen := map[string]bool{}
		for i, k := range list.keys {
			if !keys[k] || seen[k] {
				v.say(list.what+"/"+strconv.Itoa(i), list.what+" "+k, "没有这个字段，或者写了两次，请改正。")
			}
			seen[k] = true
		}
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		if slices.Contains(d.UnitKeys, f.Name) && !namesUnit(f) {
			fieldPlace{v, i, f}.say("tianbao:register", "这一栏用来认定单位，请写明它是登记册的 org_code、budget_code、unit_name 中的哪一项。")
		}
	}
	codes := map[string]bool{}
	for i := range d.CrossRules {
		v.cross(i, &d.CrossRules[i], keys)
		if codes[d.CrossRules[i].Code] {
			v.say("tianbao:crossRules/"+strconv.Itoa(i)+"/code", "tianbao:crossRules "+d.CrossRules[i].Code, "这个代号已经用过，请换一个。")
		}
		codes[d.CrossRules[i].Code] = true
	}
	v.formula(d)
}

// namesUnit reports whether the register finds units by the field.
func namesUnit(f *fieldDesc) bool {
	key := (&tianbao.Field{Key: f.Name, Register: f.Register}).RegisterKey()
	return key == "org_code" || key == "budget_code" || key == "unit_name"
}

func (v *validation) cross(i int, r *cross, keys map[string]bool) {
	path := "tianbao:crossRules/" + strconv.Itoa(i) + "/"
	say := func(key, name, message string) {
		place := fmt.Sprintf("tianbao:crossRules #%d (%s) %s", i+1, r.Code, key)
		if name != "" {
			place += " " + name
		}
		v.say(path+key, place, message)
	}
	a, b, ok := strings.Cut(r.Code, ".")
	if !ok || !isName(a, '_') || !isName(b, '_') {
		say("code", "", "代号写成“对象.错误”的样子，如 phone.shared，请改正。")
	}
	if !isSeverity(r.Severity) {
		say("severity", "", "轻重只有 error、justify、hint 三种，请改正。")
	}
	if len(r.Same) == 0 {
		say("same", "", "至少要有一个字段，请补填。")
	}
	v.text(path+"message", fmt.Sprintf("tianbao:crossRules #%d (%s) message", i+1, r.Code), r.Message)
	unknown := func(key, k string) {
		if !keys[k] {
			say(key, k, "没有这个字段，请改正。")
		}
	}
	for _, same := range r.Same {
		for k := range strings.SplitSeq(same, "|") {
			unknown("same", k)
		}
	}
	for _, k := range r.Differ {
		unknown("differ", k)
	}
	if r.At != "" {
		unknown("at", r.At)
	}
}

// formula wants each code to be one that the form can report, once.
func (v *validation) formula(d *descriptor) {
	codes := map[string]bool{}
	for i := range d.Fields {
		for name := range d.Fields[i].Rules {
			if name != "required" {
				name = d.Fields[i].Name + "." + name
			}
			codes[name] = true
		}
	}
	for i := range d.CrossRules {
		codes[d.CrossRules[i].Code] = true
	}
	for i, code := range d.Formula {
		if !codes[code] {
			v.say("tianbao:formula/"+strconv.Itoa(i), "tianbao:formula "+code, "这张表没有这项检查，或者写了两次，请删去或改正。")
		}
		delete(codes, code)
	}
}

// headers maps each header to the field it names. Columns are found by header
// (form.md §7), so no header may name two.
type headers map[string]string

func (h headers) add(v *validation, path, place, field string, names []string) {
	for _, n := range names {
		k := strings.ToLower(strings.Join(strings.Fields(n), ""))
		switch other, taken := h[k]; {
		case k == "":
			v.say(path, place, "表头不能为空，请补填。")
		case taken && other != field:
			v.say(path, place+" "+n, "这个表头或别名已经是另一栏的，请改名。")
		case taken:
			v.say(path, place+" "+n, "这个表头或别名写了两次，请删去一个。")
		case len([]rune(n)) > maxText || strings.ContainsFunc(n, unicode.IsControl):
			v.say(path, place, "太长，或者有换行等控制字符，请改短成一行。")
		}
		h[k] = field
	}
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func isSeverity(s tianbao.Severity) bool {
	return s == tianbao.SeverityError || s == tianbao.SeverityJustify || s == tianbao.SeverityHint
}

// isName reports whether s is a machine name: a lower-case letter, then such
// letters, digits and the joiner, 63 at most (an SQL name's length).
func isName(s string, joiner rune) bool {
	if s == "" || len(s) > 63 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != joiner {
			return false
		}
	}
	return true
}
