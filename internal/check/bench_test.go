package check_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"
	"unicode/utf8"

	"tianbao"
)

// BenchmarkRow is the cost of a clean row of eight cells. The goal is 3 µs and no
// allocation; BenchmarkRowRegexp is what the same checks cost when written plainly.
func BenchmarkRow(b *testing.B) {
	c := newChecker(b)
	row := &tianbao.Row{Values: clean()}
	ps := c.Row(nil, 0, row)
	if len(ps) != 0 {
		b.Fatal(problems(ps))
	}
	b.ReportAllocs()
	for b.Loop() {
		ps = c.Row(ps[:0], 0, row)
	}
}

// BenchmarkNormalizeRow is the cost of normalising eight clean cells.
func BenchmarkNormalizeRow(b *testing.B) {
	c := newChecker(b)
	values := clean()
	b.ReportAllocs()
	for b.Loop() {
		for k, v := range values {
			if got := c.Normalize(k, v); len(got) != len(v) {
				b.Fatal(k)
			}
		}
	}
}

// BenchmarkRows is the cost of whole sheets, rules between rows included; ns/row
// stays as the sheet grows.
func BenchmarkRows(b *testing.B) {
	c := newChecker(b)
	for _, n := range []int{100, 1000, 10000, 100000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rows := make([]tianbao.Row, n)
			for i := range rows {
				rows[i] = edit(c, "person_id="+numbered(i), fmt.Sprintf("phone=160%08d", i))
			}
			if ps := c.Rows(rows); len(ps) != 0 {
				b.Fatal(problems(ps[:1]))
			}
			b.ReportAllocs()
			for b.Loop() {
				c.Rows(rows)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
		})
	}
}

// numbered returns the i-th right id of a sequence: births of 1940 on, days up to
// the 28th, sequence digits 900 to 995.
func numbered(i int) string {
	seq, i := 900+i%96, i/96
	d, i := 1+i%28, i/28
	m, i := 1+i%12, i/12
	id := fmt.Sprintf("210102%04d%02d%02d%03d", 1940+i, m, d, seq)
	return id + string(checkDigit(id))
}

func checkDigit(id string) byte {
	sum := 0
	for i := range 17 {
		w := 1
		for range 17 - i {
			w = w * 2 % 11
		}
		sum += int(id[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// plain is the same check written with regular expressions: what a clean row must
// match, and the two check digits.
type plain struct{ budget, org, unitType, name, id, phone *regexp.Regexp }

func newPlain() *plain {
	return &plain{
		budget:   regexp.MustCompile(`^[0-9A-Z]{1,21}$`),
		org:      regexp.MustCompile(`^(1[1239]|[248A][19]|3[123459]|5[123459]|[67][129]|9[123]|N[1239]|Y1)(100000|(1[1-5]|2[123]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])[0-9]{4})[0-9A-HJ-NPQRTUWXY]{10}$`),
		unitType: regexp.MustCompile(`^(主管部门|行政单位|事业单位)$`),
		name:     regexp.MustCompile(`^[\x{3007}\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2EE5F}\x{2F800}-\x{2FA1F}\x{30000}-\x{3347F}]+(·[\x{3007}\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2EE5F}\x{2F800}-\x{2FA1F}\x{30000}-\x{3347F}]+)*$`),
		id:       regexp.MustCompile(`^(1[1-5]|2[123]|3[1-7]|4[1-6]|5[0-4]|6[1-5])[0-9]{4}([0-9]{8})[0-9]{3}[0-9X]$`),
		phone:    regexp.MustCompile(`^1[3-9][0-9]{9}$`),
	}
}

func (p *plain) row(v []string, day time.Time) bool {
	length := func(s string, lo, hi int) bool {
		n := utf8.RuneCountInString(s)
		return n >= lo && n <= hi
	}
	if !p.budget.MatchString(v[0]) || !length(v[1], 2, 100) || !p.org.MatchString(v[2]) || !p.unitType.MatchString(v[3]) ||
		!length(v[4], 0, 64) || !p.name.MatchString(v[5]) || !length(v[5], 2, 50) || !p.phone.MatchString(v[7]) {
		return false
	}
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	sum, w := 0, 1
	for i := range 18 {
		for k := range alphabet {
			if alphabet[k] == v[2][i] {
				sum += k * w
			}
		}
		if w = w * 3 % 31; i == 16 {
			w = 1
		}
	}
	m := p.id.FindStringSubmatch(v[6])
	if sum%31 != 0 || m == nil || checkDigit(v[6]) != v[6][17] {
		return false
	}
	born, err := time.Parse("20060102", m[2])
	return err == nil && born.Year() >= 1900 && !born.After(day)
}

func BenchmarkRowRegexp(b *testing.B) {
	p := newPlain()
	row := clean()
	if !p.row(row, noon()) {
		b.Fatal("the clean row is refused")
	}
	wrong := clean()
	wrong[6] = "210102198001019011"
	if p.row(wrong, noon()) {
		b.Fatal("a wrong row is taken")
	}
	b.ReportAllocs()
	for b.Loop() {
		p.row(row, noon())
	}
}
