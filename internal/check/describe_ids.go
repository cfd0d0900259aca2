package check

import (
	"fmt"
	"strings"
	"time"

	"tianbao/internal/ident"
)

// The check characters: ISO 7064 MOD 11-2 of GB 11643, MOD 31 of GB 32100, MOD 11 of
// GB 11714, and ICAO 9303 of the cards of 2017. That these tables say what package
// ident says is what TestParity finds out.
func sums() map[string]sum {
	const alnum = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const credit = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	weights := func(n, base, mod int) []int {
		w := []int{1}
		for len(w) < n {
			w = append(w, w[len(w)-1]*base%mod)
		}
		return w
	}
	resident := weights(18, 2, 11)
	for i, k := 0, len(resident)-1; i < k; i, k = i+1, k-1 {
		resident[i], resident[k] = resident[k], resident[i]
	}
	// The check character completes the sum: its place in Checks counts down from 31.
	down := []byte{credit[0]}
	for i := len(credit) - 1; i > 0; i-- {
		down = append(down, credit[i])
	}
	return map[string]sum{
		"resident": {eighteenRE, "0123456789", resident[:17], "10X98765432"},
		"credit":   {creditRE, credit, weights(17, 3, 31), string(down)},
		"org":      {`^[0-9A-Z]{8}-?[0-9X]$`, alnum, []int{3, 7, 9, 10, 5, 8, 4, 2}, "0X987654321"},
		"card":     {cardRE, alnum, []int{7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3}, "0123456789"},
	}
}

const (
	creditChars = `0-9A-HJ-NPQRTUWXY`
	creditRE    = `^[` + creditChars + `]{2}[0-9]{6}[` + creditChars + `]{10}$`
	eighteenRE  = `^[0-9]{17}[0-9X]$`
	cardRE      = `^[A-Z]{3}[0-9]{12}$`           // a card of 2017
	cardLikeRE  = `^[A-Z]{3}[\u0000-\u007F]{12}$` // meant as one
)

func (d *describer) credit() ([][]atom, []variant) {
	kinds, region := creditKinds(), `^..(?:100000|71|81|82|<province>)`
	// Behind characters that are right, up to the first that is not.
	const good = `^(?:[` + creditChars + `]{2}[0-9]{6}[` + creditChars + `]*|[` + creditChars + `]?)`
	other := func(more ...atom) []atom { return append(all(not(creditRE), wrong("org")), more...) }
	right := func(more ...atom) []atom { return append(all(fits("credit")), more...) }
	vs := []variant{
		{ident.Replaced, all(is(lostChar)), lostAt, sayReplaced},
		{ident.Masked, all(is(star)), "", sayCreditMasked},
		{ident.Excel, other(is(excel)), "", sayCreditNumber},
		{ident.Length, other(is(longer(35))), "", sayCreditTwo},
		{ident.Length, other(not(`^[^]{18}$`)), "", sayCreditLength},
		{ident.Charset, other(is(`^[` + creditChars + `]{2}[0-9]{0,5}[^0-9]`)), `^[` + creditChars + `]{2}[0-9]*`, sayCreditDigit},
	}
	for i, c := range "OISZV" {
		vs = append(vs, variant{ident.Charset, other(is(good + string(c))), good, sentence(strings.ReplaceAll(string(sayCreditAlike), "{alike}", "0152U"[i:i+1]))})
	}
	return [][]atom{right(is(`^1`), is(`^(?:`+kinds+`)`), is(region))}, append(vs,
		variant{ident.Charset, other(is(good + `[^` + creditChars + `]`)), good, sayCreditChar},
		variant{ident.Checksum, all(is(creditRE), wrong("credit")), "", sayCreditCheck},
		variant{ident.Kind, all(is(creditRE), not(`^(?:`+kinds+`)`)), `^..`, sayCreditKind},
		variant{ident.Province, all(is(creditRE), not(region)), `(?<=^..)..`, sayCreditProvince},
		variant{ident.OldForm, all(fits("org")), "", sayCreditOld},
		variant{ident.NotPublic, right(not(`^1`), is(`^(?:`+kinds+`)`), is(region)), `^.`, sayCreditNotPublic},
	)
}

func (d *describer) resident() ([][]atom, []variant) {
	// Days of the Gregorian calendar, with the year before them or without.
	const days = `(?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)|02(?:0[1-9]|1[0-9]|2[0-8]))`
	const leap = `(?:0[48]|[2468][048]|[13579][26])`
	const real = `(?:[0-9]{4}` + days + `|(?:[0-9]{2}` + leap + `|(?:[02468][048]|[13579][26])00)0229)`
	const born, ancient = `^.{6}` + real, `^.{6}(?:0|1[0-8])`
	const cardBorn = `^.{7}(?:[0-9]{2}` + days + `|(?:00|` + leap + `)0229)`
	const nation, cardNation = `^9..(?:<country>)`, `^(?:<nation>)`
	const permit = `^8(?:10|20|30)000`
	other := func(more ...atom) []atom { return append(all(not(eighteenRE), not(cardLikeRE)), more...) }
	full := func(more ...atom) []atom { return append(all(is(eighteenRE)), more...) }
	card := func(more ...atom) []atom { return append(all(is(cardRE)), more...) }
	good := func(more ...atom) []atom {
		return append(more, fits("resident"), is(born), not(ancient), atom{Born: "before"})
	}
	old := func(century string) sentence {
		return sentence(strings.NewReplacer("{century}", century, "{check}", "{check:"+century+"}").Replace(string(sayIDOld)))
	}
	return [][]atom{good(is(`^[1-7]`), is(`^<province>`))}, []variant{
		{ident.Replaced, all(is(lostChar)), lostAt, sayReplaced},
		{ident.Masked, all(is(star)), "", sayIDMasked},
		{ident.Excel, all(is(excel)), "", sayIDNumber},
		{ident.Excel, all(is(`000$`), is(eighteenRE), wrong("resident")), "", sayIDNumber},
		{ident.Old15, all(is(`^[0-9]{12}99[6-9]$`)), "", old("18")},
		{ident.Old15, all(is(`^[0-9]{15}$`)), "", old("19")},
		{ident.Length, other(not(`^[^]{18}$`), is(`(?:[^0-9]*[0-9]){30}`)), "", sayIDTwo},
		{ident.Length, other(not(`^[^]{18}$`)), "", sayIDLength},
		{ident.Charset, all(is(cardLikeRE), not(cardRE)), "", sayIDCard},
		{ident.Charset, other(is(`^[0-9]{17}[^0-9]`)), `^[0-9]*`, sayIDLast},
		{ident.Charset, other(is(`[^0-9]`)), `^[0-9]*`, sayIDChar},
		{ident.Nation, full(is(`^9`), not(nation)), "", sayIDNation},
		{ident.Nation, card(not(cardNation)), "", sayIDNation},
		{ident.Province, full(is(`^8`), not(permit)), "", sayIDPermitStart},
		{ident.Province, full(is(`^9(?!<province>)`)), "", sayIDCardProvince},
		{ident.Province, card(is(`^...(?!<province>)`)), "", sayIDCardProvince},
		{ident.Province, full(is(`^(?![89]|<province>)`)), `^..`, sayIDProvince},
		{ident.Birthdate, card(not(cardBorn)), "", sayIDCardBirth},
		{ident.Birthdate, full(not(born)), "", sayIDBirth},
		{ident.Future, full(is(born), atom{Born: "later"}), "", sayIDFuture},
		{ident.Ancient, full(is(born), is(ancient)), "", sayIDAncient},
		{ident.Checksum, full(wrong("resident")), "", sayIDCheck},
		{ident.Checksum, card(wrong("card")), "", sayIDCheck},
		{ident.Permit, good(is(nation), is(`^9<province>`)), "", sayIDIsCard},
		{ident.Permit, all(fits("card"), is(cardNation), is(`^...<province>`), is(cardBorn)), "", sayIDIsCard},
		{ident.Permit, good(is(permit)), "", sayIDIsPermit},
	}
}

// provinces returns an expression for the codes of provinces that issue resident ids.
func provinces() string {
	var in []string
	for p := range 100 {
		s := fmt.Sprintf("%02d", p)
		if p < 80 && !ident.ResidentID(s+"0102198001019015", time.Unix(1<<31, 0)).Has(ident.Province) {
			in = append(in, s)
		}
	}
	return "(?:" + strings.Join(in, "|") + ")"
}

// creditKinds returns an expression for the first two characters of credit codes.
func creditKinds() string {
	var in []string
	for _, a := range "0123456789ABCDEFGHJKLMNPQRTUWXY" {
		var second []rune
		for _, b := range "0123456789ABCDEFGHJKLMNPQRTUWXY" {
			if !ident.CreditCode(string(a) + string(b) + "21010000000000" + "00").Has(ident.Kind) {
				second = append(second, b)
			}
		}
		if second != nil {
			in = append(in, string(a)+"["+string(second)+"]")
		}
	}
	return strings.Join(in, "|")
}

// countries returns expressions for the numeric and the alphabetic codes of countries.
func countries() (numeric, alpha string) {
	a, n := ident.Countries()
	return strings.Join(n, "|"), strings.Join(a, "|")
}

// areas returns an expression for landline numbers of areas that exist, and one for
// those that their area can have.
func areas() (known, landline string) {
	byLength := make(map[string][]string)
	var order []string
	add := func(area string) {
		lengths := ""
		for _, n := range []string{"2345678", "23456789"} {
			if ident.Phone(area+"-"+n) == ident.Landline {
				lengths += "," + fmt.Sprint(len(n)-1)
			}
		}
		if lengths == "" {
			return
		}
		if byLength[lengths] == nil {
			order = append(order, lengths)
		}
		byLength[lengths] = append(byLength[lengths], area)
	}
	for i := range 1000 {
		if area := fmt.Sprintf("%03d", i); area < "030" && area >= "010" {
			add(area)
		}
		if area := fmt.Sprintf("0%03d", i); area[1] != '1' && area[1] != '2' {
			add(area)
		}
	}
	var knowns, numbers []string
	for _, lengths := range order {
		area := lasts(byLength[lengths])
		knowns = append(knowns, area)
		n := strings.Split(lengths[1:], ",")
		numbers = append(numbers, `(?:`+area+`)-[2-8][0-9]{`+n[0]+`,`+n[len(n)-1]+`}`)
	}
	return `^(?:` + strings.Join(knowns, "|") + `)-`, `^(?:` + strings.Join(numbers, "|") + `)(?:-[0-9]{1,6})?$`
}

// lasts writes numbers that differ in their last digit as one: 024 and 025 as 02[45].
func lasts(in []string) string {
	var out []string
	for i := 0; i < len(in); {
		head, digits := in[i][:len(in[i])-1], ""
		for ; i < len(in) && in[i][:len(in[i])-1] == head; i++ {
			digits += in[i][len(head):]
		}
		out = append(out, head+"["+digits+"]")
	}
	return strings.ReplaceAll(strings.Join(out, "|"), "[0123456789]", "[0-9]")
}
