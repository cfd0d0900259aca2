package form

import (
	"slices"
	"strconv"
	"strings"

	"tianbao"
)

// Difference is one thing in which a form differs from another.
type Difference struct {
	// Field is the key of the field that differs, empty for the form as a whole.
	Field string
	Title string // of the field or rule, in the newer form if it is there
	What  string // what differs, in the users' words
	Was   string // empty: there was nothing
	Is    string
}

// Diff tells in what a form differs from an earlier one: fields that came, went and
// changed, property by property, and rules between rows. Version and machine-made parts
// are not compared.
func Diff(was, is *tianbao.Form) []Difference {
	var d differ
	d.say("", "", "标题", was.Title, is.Title)
	d.say("", "", "文件夹", was.Folder, is.Folder)
	d.say("", "", "代号", was.Name, is.Name)
	d.say("", "", "序号栏", was.SeqTitle+" "+was.SeqKey, is.SeqTitle+" "+is.SeqKey)
	d.say("", "", "序号栏的别名", list(was.SeqSynonyms), list(is.SeqSynonyms))
	d.say("", "", "认定单位的栏", list(was.UnitKeys), list(is.UnitKeys))
	d.say("", "", "认定同一行的栏", list(was.IdentityKeys), list(is.IdentityKeys))
	var before, after []string // keys of the fields that both have, in the order of each
	for i := range was.Fields {
		x := &was.Fields[i]
		if is.Field(x.Key) == nil {
			d.all = append(d.all, Difference{x.Key, x.Title, "删去一栏", x.Title, ""})
			continue
		}
		before = append(before, x.Key)
	}
	for i := range is.Fields {
		x := &is.Fields[i]
		old := was.Field(x.Key)
		if old == nil {
			d.all = append(d.all, Difference{x.Key, x.Title, "新增一栏", "", x.Title})
			continue
		}
		after = append(after, x.Key)
		d.field(old, x)
	}
	if !slices.Equal(before, after) {
		d.say("", "", "各栏的顺序", list(before), list(after))
	}
	d.rules(was.CrossRules, is.CrossRules)
	return d.all
}

type differ struct{ all []Difference }

func (d *differ) say(key, title, what, was, is string) {
	if was != is {
		d.all = append(d.all, Difference{key, title, what, was, is})
	}
}

func (d *differ) field(was, is *tianbao.Field) {
	say := func(what, a, b string) { d.say(is.Key, is.Title, what, a, b) }
	say("标题", was.Title, is.Title)
	say("说明", was.Note, is.Note)
	say("类型", was.Kind.Title(), is.Kind.Title())
	say("必填", yes(was.Required), yes(is.Required))
	say("最短", count(was.MinLength), count(is.MinLength))
	say("最长", count(was.MaxLength), count(is.MaxLength))
	say("选项", list(was.Enum), list(is.Enum))
	say("选项的别的写法", pairs(was.EnumAliases), pairs(is.EnumAliases))
	say("表头的别名", list(was.Synonyms), list(is.Synonyms))
	say("加密保存", yes(was.Sealed), yes(is.Sealed))
	say("隐去方式", was.Mask.Title(), is.Mask.Title())
	say("合并单元格", yes(was.Merged), yes(is.Merged))
	say("列宽", count(was.Width), count(is.Width))
	say("屏幕列宽", count(was.Pixels), count(is.Pixels))
	say("固定不动", yes(was.Frozen), yes(is.Frozen))
	say("登记册中的项", was.Register, is.Register)
	names := map[string]bool{}
	for name := range was.Rules {
		names[name] = true
	}
	for name := range is.Rules {
		names[name] = true
	}
	for _, name := range sorted(names) {
		what := is.Kind.Check(name)
		if what == "" {
			what = was.Kind.Check(name)
		}
		if what == "" {
			what = name
		}
		say(what, was.Rules[name].Title(), is.Rules[name].Title())
	}
}

func (d *differ) rules(was, is []tianbao.CrossRule) {
	find := func(all []tianbao.CrossRule, code string) *tianbao.CrossRule {
		for i := range all {
			if all[i].Code == code {
				return &all[i]
			}
		}
		return nil
	}
	for i := range was {
		if r := &was[i]; find(is, r.Code) == nil {
			d.say("", r.Code, "删去行间检查", r.Message, "")
		}
	}
	for i := range is {
		r := &is[i]
		old := find(was, r.Code)
		if old == nil {
			d.say("", r.Code, "新增行间检查", "", r.Message)
			continue
		}
		d.say("", r.Code, "提示语", old.Message, r.Message)
		d.say("", r.Code, "轻重", old.Severity.Title(), r.Severity.Title())
		d.say("", r.Code, "相同的栏", list(old.Same), list(r.Same))
		d.say("", r.Code, "不同的栏", list(old.Differ), list(r.Differ))
		d.say("", r.Code, "标在哪一栏", old.At, r.At)
	}
}

func list(all []string) string { return strings.Join(all, "、") }

func yes(b bool) string {
	if b {
		return "是"
	}
	return "否"
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func pairs(m map[string]string) string {
	var out []string
	for _, from := range sorted(m) {
		out = append(out, from+"→"+m[from])
	}
	return list(out)
}
