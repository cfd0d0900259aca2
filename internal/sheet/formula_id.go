package sheet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/ident"
)

// residentID follows ident.ResidentID. The class is 18 for eighteen characters that
// may be a number, 15 for a card of 2017, 1 for what begins like one, else 0.
func (c *selfCheck) residentID(f *fieldFormulas) {
	v := f.norm
	f.class = c.column(f.Letter+".class",
		`IF(AND(LEN(`+v+`)=18,`+only(`LEFT(`+v+`,17)`, 17, digitSet)+`,ISNUMBER(FIND(RIGHT(`+v+`),"`+digitSet+`X"))),18,`+
			`IF(AND(LEN(`+v+`)=15,`+only(`LEFT(`+v+`,3)`, 3, letterSet)+`),IF(`+only(`MID(`+v+`,4,12)`, 12, digitSet)+`,15,1),0))`)
	k := f.class
	province := func(at int) string { return c.noProvince(fmt.Sprintf(`MID(%s,%d,2)`, v, at)) }
	alpha, numeric := ident.Countries()
	wrongCheck := `MID("10X98765432",MOD(SUMPRODUCT(MID(` + v + `,` + upTo(17) + `,1)*` + residentWeights + `),11)+1,1)<>RIGHT(` + v + `)`
	f.outcomes = []outcome{
		{holds(v, replacement), "charset"},
		{holds(v, "*"), "masked"},
		{
			`OR(` + lost(f.raw) + `,IF(` + k + `=18,IF(RIGHT(` + v + `,3)="000",` + wrongCheck + `,FALSE),IF(` + k + `=0,` + excel(v) + `,FALSE)))`,
			"precision_lost",
		},
		{`IF(` + k + `=0,AND(LEN(` + v + `)=15,` + only(v, 15, digitSet) + `),FALSE)`, "old15"},
		{lost(f.raw), "checksum"},
		{`AND(` + k + `=0,LEN(` + v + `)<>18)`, "length"},
		{k + `<15`, "charset"},
		{
			`IF(` + k + `=15,OR(` + province(4) + `,ISERROR(FIND(","&LEFT(` + v + `,3),` + literal(","+strings.Join(alpha, ",")) + `))),` +
				`IF(LEFT(` + v + `)="8",AND(LEFT(` + v + `,6)<>"810000",LEFT(` + v + `,6)<>"820000",LEFT(` + v + `,6)<>"830000"),` +
				`IF(LEFT(` + v + `)="9",OR(` + province(2) + `,ISERROR(FIND(","&MID(` + v + `,4,3),` + literal(","+strings.Join(numeric, ",")) + `))),` +
				province(1) + `)))`, "province",
		},
		{`IF(` + k + `=15,` + notADay(`2000+MID(`+v+`,8,2)`, `MID(`+v+`,10,2)`, `MID(`+v+`,12,2)`, "FALSE") + `,` +
			notADay(`--MID(`+v+`,7,4)`, `MID(`+v+`,11,2)`, `MID(`+v+`,13,2)`,
				`DATE(MID(`+v+`,7,4),MID(`+v+`,11,2),MID(`+v+`,13,2))>TODAY()`) + `)`, "birthdate"},
		{`IF(` + k + `=15,MOD(SUMPRODUCT((CODE(MID(` + v + `,{1,2,3},1))-55)*{7,3,1})+SUMPRODUCT(MID(` + v + `,{4,5,6,7,8,9,10,11,12,13,14},1)*{7,3,1,7,3,1,7,3,1,7,3}),10)<>--RIGHT(` + v + `),` +
			wrongCheck + `)`, "checksum"},
		{`OR(` + k + `=15,LEFT(` + v + `)="8",LEFT(` + v + `)="9")`, "permit"},
	}
}

// residentWeights are those of GB 11643-1999.
const residentWeights = "{7,9,10,5,8,4,2,1,6,3,7,9,10,5,8,4,2}"

// notADay tells whether three numbers are no date from 1900 on, or one for which late
// holds. Years are taken into 2000 to 2399, since spreadsheets count 29 February 1900
// as a day and add 1900 to the years before.
func notADay(year, month, day, late string) string {
	return `IF(OR(` + year + `<1900,--` + month + `<1,--` + month + `>12,--` + day + `<1),TRUE,` +
		`IF(--` + day + `>DAY(DATE(2000+MOD(` + year + `,400),` + month + `+1,0)),TRUE,` + late + `))`
}

// noProvince tells whether a text of two digits is no province that issues ids.
func (c *selfCheck) noProvince(text string) string {
	var list []string
	for p := range 100 {
		code := fmt.Sprintf("%02d", p)
		// The rest of the number may be as wrong as it likes.
		if p/10 < 8 && !ident.ResidentID(code+"0000190001010000", time.Time{}).Has(ident.Province) {
			list = append(list, code)
		}
	}
	return `ISERROR(FIND(","&` + text + `,",` + strings.Join(list, ",") + `"))`
}

// creditCode follows ident.CreditCode. The class is 18 for a code of the right
// characters, 9 for a right code of GB 11714, else 0.
func (c *selfCheck) creditCode(f *fieldFormulas) {
	v := f.norm
	f.class = c.column(f.Letter+".class",
		`IF(AND(LEN(`+v+`)=18,`+only(v, 18, creditSet)+`,`+only(`MID(`+v+`,3,6)`, 6, digitSet)+`),18,`+
			`IF(OR(LEN(`+v+`)=9,AND(LEN(`+v+`)=10,MID(`+v+`,9,1)="-")),IF(`+only(`LEFT(`+v+`,8)`, 8, digitSet+letterSet)+`,`+
			`IF(MID("0123456789X",MOD(11-MOD(SUMPRODUCT((FIND(MID(`+v+`,{1,2,3,4,5,6,7,8},1),"`+digitSet+letterSet+`")-1)*{3,7,9,10,5,8,4,2}),11),11)+1,1)=RIGHT(`+v+`),9,0),0),0))`)
	k := f.class
	var kinds, regions []string
	for _, a := range creditSet {
		for _, b := range creditSet {
			if code := string([]rune{a, b}); !ident.CreditCode(code + "0000000000000000").Has(ident.Kind) {
				kinds = append(kinds, code)
			}
		}
	}
	for p := range 100 {
		if code := fmt.Sprintf("%02d", p); !ident.CreditCode("11" + code + "99990000000000").Has(ident.Province) {
			regions = append(regions, code)
		}
	}
	f.outcomes = []outcome{
		{`OR(` + lost(f.raw) + `,IF(` + k + `=0,OR(` + holds(v, replacement) + `,` + holds(v, "*") + `,` + excel(v) + `),FALSE))`, "charset"},
		{lost(f.raw), "checksum"},
		{`AND(` + k + `=0,LEN(` + v + `)<>18)`, "length"},
		{k + `=0`, "charset"},
		{`IF(` + k + `=18,MOD(SUMPRODUCT((FIND(MID(` + v + `,` + upTo(17) + `,1),"` + creditSet + `")-1)*` + creditWeights + `)+FIND(RIGHT(` + v + `),"` + creditSet + `")-1,31)<>0,FALSE)`, "checksum"},
		{`IF(` + k + `=18,ISERROR(FIND(","&LEFT(` + v + `,2),` + literal(","+strings.Join(kinds, ",")) + `)),FALSE)`, "kind"},
		{`IF(` + k + `=18,AND(MID(` + v + `,3,6)<>"100000",ISERROR(FIND(","&MID(` + v + `,3,2),` + literal(","+strings.Join(regions, ",")) + `))),FALSE)`, "province"},
		{k + `=9`, "old_form"},
		{`LEFT(` + v + `)<>"1"`, "not_public"},
	}
}

// creditWeights are those of GB 32100-2015, 3 to the power i-1 modulo 31.
const creditWeights = "{1,3,9,27,19,26,16,17,20,29,25,13,8,24,10,30,28}"

// phone follows ident.NormalizePhone and ident.Phone.
func (c *selfCheck) phone(f *fieldFormulas) {
	code := codeNorm(f.raw)
	f.norm = c.column(f.Letter+".norm", code)
	v := f.norm
	bare := c.column(f.Letter+".bare", without(v, "-", "(", ")", ".", "[", "]"))
	mobile := c.column(f.Letter+".mobile", `IF(LEFT(`+bare+`,3)="+86",MID(`+bare+`,4,30),IF(LEFT(`+bare+`,4)="0086",MID(`+bare+`,5,30),`+
		`IF(AND(LEFT(`+bare+`,2)="86",LEN(`+bare+`)=13),MID(`+bare+`,3,30),`+bare+`)))`)
	isMobile := `AND(LEN(` + mobile + `)=11,LEFT(` + mobile + `)="1",` + only(mobile, 11, digitSet) + `,NOT(` + excel(v) + `))`
	line := `SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(` + v + `,"(",""),")","-"),"转","-"),"#","-"),"*","-"),"--","-")`
	line = c.column(f.Letter+".line", line)
	area := c.column(f.Letter+".area", `LEFT(`+line+`,IF(OR(MID(`+line+`,2,1)="1",MID(`+line+`,2,1)="2"),3,4))`)
	rest := c.column(f.Letter+".rest", `MID(`+line+`,LEN(`+area+`)+1+(MID(`+line+`,LEN(`+area+`)+1,1)="-"),30)`)
	num := `LEFT(` + rest + `,FIND("-",` + rest + `&"-")-1)`
	ext := `MID(` + rest + `,FIND("-",` + rest + `&"-")+1,30)`
	known, eight, seven := areas()
	right := `AND(LEFT(` + line + `)="0",` + only(area, 4, digitSet) + `,LEN(` + num + `)>=7,` + only(num, 10, digitSet) + `,LEFT(` + num + `)>="2",LEFT(` + num + `)<="8",` +
		`OR(` + ext + `="",AND(LEN(` + ext + `)<=6,` + only(ext, 6, digitSet) + `)),RIGHT(` + line + `)<>"-",` +
		`IF(ISNUMBER(MATCH(` + area + `,` + oneOf(known) + `,0)),` +
		`OR(AND(LEN(` + num + `)=8,ISNUMBER(MATCH(` + area + `,` + oneOf(eight) + `,0))),AND(LEN(` + num + `)=7,ISNUMBER(MATCH(` + area + `,` + oneOf(seven) + `,0)))),` +
		`AND(LEN(` + area + `)=4,MID(` + area + `,2,1)>="3",LEN(` + num + `)<=8)))`
	f.value = `IF(` + isMobile + `,` + mobile + `,` + without(line, "-") + `)`
	f.outcomes = []outcome{
		{`IF(` + isMobile + `,FALSE,` + right + `)`, "landline"},
		{`IF(` + isMobile + `,MID(` + mobile + `,2,1)<"3",NOT(` + right + `))`, "format"},
	}
}

// areas lists the area codes that do not simply take seven digits or eight, and which
// of them take which; the others of four digits take both.
func areas() (known, eight, seven []string) {
	takes := func(area, number string) bool { return ident.Phone(area+"-"+number) == ident.Landline }
	add := func(area string) {
		e, s := takes(area, "23456789"), takes(area, "2345678")
		if e && s {
			return
		}
		known = append(known, area)
		if e {
			eight = append(eight, area)
		}
		if s {
			seven = append(seven, area)
		}
	}
	for i := range 30 {
		add(fmt.Sprintf("%03d", i))
	}
	for i := 300; i < 1000; i++ {
		add(fmt.Sprintf("%04d", i))
	}
	return known, eight, seven
}

// validation is what a field asks when a value is typed. The formula looks at the cell
// itself and not at the hidden columns, since some programs ask before they calculate;
// it has the 255 characters that Excel's dialogue takes, so the arrays are names.
func (c *selfCheck) validation(f *tianbao.Field, i int) validation {
	listed := func(rule string) bool { return slices.Contains(c.form.Formula, f.Key+"."+rule) }
	cell := Address(i+1, c.l.first)
	v := validation{kind: "custom", style: "warning", errTitle: f.Title}
	switch {
	case f.Kind == tianbao.KindResidentID && listed("checksum"):
		n, w := c.define("n17", upTo(17)), c.define("w11", residentWeights)
		v.formula = `IF(LEN(` + cell + `)=15,TRUE,AND(MID("10X98765432",MOD(SUMPRODUCT(MID(` + cell + `,` + n + `,1)*` + w + `),11)+1,1)=UPPER(MID(` + cell + `,18,9)),` +
			`DAY(DATE(MID(` + cell + `,7,4),MID(` + cell + `,11,2),MID(` + cell + `,13,2)))=--MID(` + cell + `,13,2)))`
		v.errText = "号码的位数、出生日期或末位校验码不对，请按证件核对。"
		if double := c.double(i); double != "" {
			v.formula = `AND(` + double + `,` + v.formula + `)`
			v.errText += "也可能是同一单位的同一个人已经填过一行。"
		}
	case f.Kind == tianbao.KindCreditCode && listed("checksum"):
		n, w, set := c.define("n17", upTo(17)), c.define("w31", creditWeights), c.define("c31", quote(creditSet))
		v.formula = `AND(LEN(` + cell + `)=18,MOD(SUMPRODUCT((FIND(MID(UPPER(` + cell + `),` + n + `,1),` + set + `)-1)*` + w + `)+FIND(RIGHT(UPPER(` + cell + `)),` + set + `)-1,31)=0)`
		v.errText = "应为18位统一社会信用代码，末位校验码须与前17位相符，请按证书核对。"
	case f.Kind == tianbao.KindPhone && listed("format"):
		bare := `SUBSTITUTE(` + cell + `,"-","")`
		v.formula = `AND(ISNUMBER(--` + bare + `),OR(AND(LEN(` + bare + `)=11,LEFT(` + cell + `)="1",MID(` + bare + `,2,1)>="3"),AND(LEFT(` + cell + `)="0",LEN(` + bare + `)>=10)))`
		v.errText = "请填写11位手机号，或带区号的座机号，例如024-23861234。"
	default:
		return validation{}
	}
	v.errText += "仍要保留请选“是”。"
	return v
}

// double is true of an id that stands once with its unit, where the form has a rule
// against doubles of just the two.
func (c *selfCheck) double(id int) string {
	for i := range c.form.CrossRules {
		r := &c.form.CrossRules[i]
		if len(r.Differ) > 0 || len(r.Same) != 2 || !slices.Contains(c.form.Formula, r.Code) || r.Same[1] != c.form.Fields[id].Key {
			continue
		}
		name, _, _ := strings.Cut(r.Same[0], "|")
		span := func(col int) string {
			letter := "$" + string(appendColumn(nil, col))
			return fmt.Sprintf("(%s$%d:%s$%d=%s%d)", letter, c.l.first, letter, c.l.first+selfRows+spareRows-1, letter, c.l.first)
		}
		return `SUMPRODUCT(` + span(1+id) + `*` + span(1+c.form.Index(name)) + `)<2`
	}
	return ""
}

// define makes a hidden name, once.
func (c *selfCheck) define(name, formula string) string {
	name = hiddenPrefix + "." + name
	for _, n := range c.names {
		if n.name == name {
			return name
		}
	}
	c.names = append(c.names, helper{name, formula})
	return name
}
