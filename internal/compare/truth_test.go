package compare_test

import (
	"fmt"
	"math/rand/v2"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/ident"
)

// world is two lists about the same people, of which it is known who is who. Names are
// misspelt, units renamed, numbers damaged, people have moved, left and come; and there are
// twins with equal names in one unit.
type world struct {
	old, new []compare.Record
	truth    map[tianbao.ID]tianbao.ID // of old lines, the new one that is the same person
}

// maker makes worlds; equal seeds make equal ones.
type maker struct {
	*rand.Rand
	serial int
	phones int
}

const surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"

const given = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰玉萍红玲辉建国华文斌宇浩凯健俊帆雪倩晨阳"

func (m *maker) name() string {
	s, g := []rune(surnames), []rune(given)
	out := []rune{s[m.IntN(len(s))], g[m.IntN(len(g))]}
	if m.IntN(10) < 7 {
		out = append(out, g[m.IntN(len(g))])
	}
	return string(out)
}

// id makes a number that nobody has: its sequence digits are 900 to 995.
func (m *maker) id() string {
	m.serial++
	n := m.serial
	day := n / 96
	head := fmt.Sprintf("21%02d%02d%04d%02d%02d%03d", 1+day/28/12/50%14, 1+day/28/12/50/14%80, 1950+day/28/12%50, 1+day/28%12, 1+day%28, 900+n%96)
	return head + string(ident.ResidentCheck(head))
}

func (m *maker) phone() string {
	m.phones++
	return fmt.Sprintf("160%08d", m.phones)
}

// chance is true n times of a thousand.
func (m *maker) chance(n int) bool { return m.IntN(1000) < n }

func (m *maker) misspell(name string) string {
	r, g := []rune(name), []rune(given)
	at := 1 + m.IntN(len(r)-1)
	if len(r) == 3 && m.chance(200) {
		return string(r[:2])
	}
	r[at] = g[m.IntN(len(g))]
	return string(r)
}

// damage makes a wrong number of a right one, as hands and spreadsheets do.
func (m *maker) damage(id string) string {
	b := []byte(id)
	switch m.IntN(3) {
	case 0:
		copy(b[15:], "000")
	case 1:
		at := m.IntN(17)
		b[at] = '0' + (b[at]-'0'+1+byte(m.IntN(8)))%10
	default:
		at := m.IntN(16)
		b[at], b[at+1] = b[at+1], b[at]
	}
	return string(b)
}

func sound(id string) bool {
	return len(id) == 18 && id[17] == ident.ResidentCheck(id[:17])
}

func set(r *compare.Record, id string) {
	r.Person, r.Sound = id, sound(id)
	r.Head, r.Tail = compare.Pieces(id)
}

// make makes a world of about n old lines.
func (m *maker) world(n int) *world {
	w := &world{truth: make(map[tianbao.ID]tianbao.ID, n)}
	var next tianbao.ID
	number := func() tianbao.ID { next++; return next }
	for unit := tianbao.ID(1); len(w.old) < n; unit++ {
		base := compare.Record{Unit: unit, OrgCode: fmt.Sprintf("11210%013d", unit), UnitName: fmt.Sprintf("辽宁省第%d局", unit)}
		before := base
		if m.chance(100) { // renamed since
			if before.UnitName = fmt.Sprintf("第%d委员会", unit); m.chance(500) {
				before.Unit = 0 // the register does not know the old name
			}
		}
		if m.chance(50) {
			before.OrgCode = ""
		}
		people := 1 + m.IntN(4)
		twin := ""
		for p := range people {
			r := base
			r.Name, r.Phone = m.name(), m.phone()
			set(&r, m.id())
			if p > 0 && m.chance(60) {
				r.Name = twin
			}
			twin = r.Name
			user := fmt.Sprintf("user%d_%d", unit, p)
			o, c := before, r
			o.ID, o.User, o.Name, o.Phone = number(), user, r.Name, r.Phone
			set(&o, r.Person)
			c.ID = number()
			if m.chance(700) {
				c.User = user
			}
			m.spoil(&o, &c)
			there := !m.chance(40) // not collected
			was := !m.chance(60)   // new since
			if was {
				w.old = append(w.old, o)
			}
			if there {
				w.new = append(w.new, c)
			}
			if was && there {
				w.truth[o.ID] = c.ID
			}
			if was && !there && m.chance(400) { // the account was handed on
				h := base
				h.ID, h.User, h.Name, h.Phone = number(), user, m.name(), m.phone()
				set(&h, m.id())
				w.new = append(w.new, h)
			}
		}
	}
	// Some have moved to another unit.
	for i := range w.new {
		if m.chance(10) {
			to := &w.new[m.IntN(len(w.new))]
			w.new[i].Unit, w.new[i].OrgCode, w.new[i].UnitName = to.Unit, to.OrgCode, to.UnitName
		}
	}
	m.Shuffle(len(w.old), func(i, k int) { w.old[i], w.old[k] = w.old[k], w.old[i] })
	return w
}

// spoil makes of one person's two lines what happens to lines.
func (m *maker) spoil(o, c *compare.Record) {
	for _, r := range []*compare.Record{o, c} {
		if m.chance(20) {
			r.Name = m.misspell(r.Name)
		}
		if m.chance(30) {
			set(r, m.damage(r.Person))
		}
	}
	if m.chance(100) {
		set(o, "")
	}
	if m.chance(200) {
		o.Phone = m.phone() // changed since
	}
	if m.chance(100) {
		o.Phone = ""
	}
	if m.chance(50) {
		o.User = ""
	}
}

func seeded(seed uint64) *maker { return &maker{Rand: rand.New(rand.NewPCG(seed, 7))} }
