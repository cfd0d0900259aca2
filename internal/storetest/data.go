package storetest

import (
	"fmt"
	"slices"

	"tianbao"
)

// Form returns the form that [Forms] knows: the columns of the first collection,
// without their rules.
func Form() *tianbao.Form {
	return &tianbao.Form{
		Name: "asset-role", Version: 1, Title: "采集表", SeqKey: "seq",
		Fields: []tianbao.Field{
			{Key: "budget_code", Letter: "A", Kind: tianbao.KindCode},
			{Key: "unit_name", Letter: "B", Kind: tianbao.KindText},
			{Key: "org_code", Letter: "C", Kind: tianbao.KindCreditCode},
			{Key: "unit_type", Letter: "D", Kind: tianbao.KindChoice},
			{Key: "legacy_username", Letter: "E", Kind: tianbao.KindText},
			{Key: "person_name", Letter: "F", Kind: tianbao.KindName},
			{Key: "person_id", Letter: "G", Kind: tianbao.KindResidentID, Sealed: true},
			{Key: "phone", Letter: "H", Kind: tianbao.KindPhone, Sealed: true},
		},
		UnitKeys: []string{"org_code", "budget_code", "unit_name"},
	}
}

// OldForm returns the form of old lists, which [Forms] knows too.
func OldForm() *tianbao.Form {
	f := Form()
	f.Name, f.Fields = "legacy-list", slices.Delete(f.Fields, 3, 4)
	return f
}

// Forms finds [Form] and [OldForm] by name and version.
func Forms(name string, version int) (*tianbao.Form, error) {
	for _, f := range []*tianbao.Form{Form(), OldForm()} {
		if f.Name == name && f.Version == version {
			return f, nil
		}
	}
	return nil, tianbao.NotFound()
}

// Person returns the id and the phone number of the n-th synthetic person.
func Person(n int) (id, phone string) {
	seq := 900 + n%96
	day := n / 96
	body := fmt.Sprintf("210102%04d%02d%02d%03d", 1950+day/336%50, 1+day/28%12, 1+day%28, seq)
	// GB 11643-1999: ISO 7064 MOD 11-2.
	sum := 0
	for i, c := range body {
		sum += int(c-'0') * (1 << (17 - i) % 11)
	}
	return body + string("10X98765432"[sum%11]), fmt.Sprintf("160%08d", n)
}

// Values returns the cells of a row of the n-th person.
func Values(n int) tianbao.Values {
	id, phone := Person(n)
	return tianbao.Values{
		fmt.Sprintf("%06d", 101000+n%1000), "沈阳市某某中心", "122101004632010011", "事业单位",
		fmt.Sprintf("user%d", n), "张某某", id, phone,
	}
}
