package ident_test

import (
	"fmt"
	"testing"

	"github.com/nyaruka/phonenumbers"

	. "tianbao/internal/ident"
)

func TestPhone(t *testing.T) {
	tests := []struct {
		name, in string
		want     Fault
	}{
		{"synthetic mobile", "16012345678", OK},
		{"mobile 13", "13012345678", OK},
		{"mobile 19", "19912345678", OK},
		{"mobile 12", "12012345678", Segment},
		{"mobile 10", "10012345678", Segment},
		{"short", "1601234567", Length},
		{"long", "160123456789", Length},
		{"Shenyang", "024-23861234", Landline},
		{"with extension", "024-23861234-801", Landline},
		{"Dalian", "0411-83631234", Landline},
		{"Anshan", "0412-5531234", Landline},
		{"Anshan with eight digits", "0412-55312345", Number},
		{"Shenyang with seven digits", "024-2386123", Number},
		{"number starts with 1", "024-12345678", Number},
		{"number starts with 9", "024-92345678", Number},
		{"no such area of Liaoning", "0420-5531234", AreaCode},
		{"no such area", "026-55312345", AreaCode},
		{"Beijing", "010-65531234", Landline},
		{"011 is no area", "011-65531234", AreaCode},
		{"another province, seven", "0351-4531234", Landline},
		{"another province, eight", "0531-86531234", Landline},
		{"no area code", "23861234", NoArea},
		{"no area code, seven", "5531234", NoArea},
		{"400", "4001234567", Length},
		{"95", "95588", Length},
		{"12345", "12345", Length},
		{"Hong Kong", "+85223456789", Charset},
		{"two numbers", "16012345678/16012345679", Charset},
		{"text", "无", Charset},
		{"empty", "", Length},
		{"masked", "160****5678", Masked},
		{"float", "16012345678.0", Excel},
		{"exponent", "1.6012345678E10", Excel},
		{"lost", "1601234567\uFFFD", Replaced},
		{"manual's example", "1112345", Length},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Phone(tt.in); got != tt.want {
				t.Errorf("Phone(%q) = %v, want %v", tt.in, got, tt.want)
			}
		})
	}
	noAllocs(t, "mobile", func() { Phone("16012345678") })
	noAllocs(t, "landline", func() { Phone("024-23861234-801") })
}

// validCN reports whether libphonenumber takes one of the numbers that start with
// the prefix and go on in ten different ways for one of China; the metadata splits
// some prefixes by their fourth digit.
func validCN(prefix string, length int, sort func(phonenumbers.PhoneNumberType) bool) bool {
	for next := range 10 {
		number := fmt.Sprintf("%s%d1234567", prefix, next)[:length]
		n, err := phonenumbers.Parse(number, "CN")
		if err == nil && phonenumbers.IsValidNumberForRegion(n, "CN") && sort(phonenumbers.GetNumberType(n)) {
			return true
		}
	}
	return false
}

// TestMobileOracle holds every three-digit prefix against libphonenumber's
// metadata. Ours is the wider set on purpose: identifiers.md §6 accepts all of
// 13 to 19 and tells nobody off for a prefix that was allotted last month. The
// prefixes that only we accept are those not allotted to people.
func TestMobileOracle(t *testing.T) {
	onlyOurs := map[string]string{
		"142": "not allotted to people", "143": "not allotted to people", "154": "not allotted to people",
		"160": "not allotted to people", "161": "not allotted to people", "163": "not allotted to people",
		"164": "not allotted to people", "168": "not allotted to people", "169": "not allotted to people",
		"179": "not allotted to people", "194": "not allotted to people",
		"140": "machines, 13 digits", "141": "machines, 13 digits", "144": "machines, 13 digits",
		"146": "machines, 13 digits", "148": "machines, 13 digits", "149": "machines, 13 digits",
	}
	mobile := func(k phonenumbers.PhoneNumberType) bool { return k == phonenumbers.MOBILE }
	theirs := 0
	for p := 100; p < 200; p++ {
		prefix := fmt.Sprint(p)
		ours, valid := Phone(prefix+"12345678") == OK, validCN(prefix, 11, mobile)
		if valid {
			theirs++
		}
		if ours != (p >= 130) {
			t.Errorf("%s: accepted: %v", prefix, ours)
		}
		if why := onlyOurs[prefix]; valid != ours && (valid || why == "") {
			t.Errorf("%s: ours %v, theirs %v, without a reason", prefix, ours, valid)
		} else if valid && why != "" {
			t.Errorf("%s is no difference any more (%s)", prefix, why)
		}
	}
	if theirs != 53 {
		t.Errorf("libphonenumber accepts %d prefixes, 53 when this was written", theirs)
	}
}

// TestLandlineOracle holds area codes against libphonenumber: which exist, and
// with how many digits. Liaoning and the areas of three digits are equal; of other
// provinces we know the form only and accept seven digits and eight.
func TestLandlineOracle(t *testing.T) {
	fixed := func(k phonenumbers.PhoneNumberType) bool { return k == phonenumbers.FIXED_LINE }
	areas := []string{"010", "0351", "0371", "0531", "0571", "0755", "0771", "0851", "0931", "0991"}
	for i := 20; i < 30; i++ {
		areas = append(areas, fmt.Sprintf("0%d", i))
	}
	for i := 410; i < 430; i++ {
		areas = append(areas, fmt.Sprintf("0%d", i))
	}
	for _, area := range areas {
		exact := area[1] < '3' || area[:3] == "041" || area[:3] == "042"
		for length := 7; length <= 8; length++ {
			ours := Phone(area+"-"+"55123456"[:length]) == Landline
			theirs := validCN(area, len(area)+length, fixed)
			if ours != theirs && (exact || theirs) {
				t.Errorf("%s with %d digits: ours %v, theirs %v", area, length, ours, theirs)
			}
		}
	}
}
