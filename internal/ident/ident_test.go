package ident_test

import (
	"testing"
	"time"

	. "tianbao/internal/ident"
)

var day = time.Date(2022, 9, 23, 12, 0, 0, 0, time.FixedZone("", 8*3600))

func TestResidentID(t *testing.T) {
	tests := []struct {
		name, id string
		want     Fault
	}{
		{"right", "21010319810614429X", OK},
		{"converted old number", "610104196209276908", OK},
		{"Hong Kong permit", "810000199408230021", Permit},
		{"Taiwan permit", "830000199201300022", Permit},
		{"permanent-resident card of 2023", "932682198501010017", Permit},
		{"permanent-resident card of 2017", "KAZ110090123105", Permit},
		{"card of 2017, wrong check", "KAZ110090123104", Checksum},
		{"card of 2017, unknown nation", "XQZ110090123105", Nation | Checksum},
		{"card of 2017, no such day", "KAZ110090133105", Birthdate | Checksum},
		{"card of 2017, no such area", "KAZ990090123105", Province},
		{"card of 2017, letters behind", "KAZ1100901231O5", Charset},
		{"check digit wrong", "210103198106144291", Checksum},
		{"old number", "610104620927690", Length | Old15},
		{"too short", "21010319810614429", Length},
		{"short with a letter", "2101O", Length | Charset},
		{"too long", "21010319810614429XX", Length | Charset},
		{"empty", "", Length},
		{"multiplication sign for X", "21010319810614429×", Charset},
		{"Cyrillic Kha for X", "21010319810614429Х", Charset},
		{"Greek Chi for X", "21010319810614429Χ", Charset},
		{"letter inside", "2101031981O614429X", Charset},
		{"masked", "210103********429X", Charset | Masked},
		{"lost character", "21010319810614429\uFFFD", Charset | Replaced},
		{"exponent", "2.10102197007072E+17", Length | Charset | Excel},
		{"exponent without plus", "2E17", Length | Charset | Excel},
		{"point zero", "210102197007072000.0", Length | Charset | Excel},
		{"zeroed tail", "210102197007200000", Checksum | Excel},
		{"Taiwan has no resident numbers", "710000199001019003", Province | Checksum},
		{"no such province", "160102199001019000", Province | Checksum | Excel},
		{"Hong Kong, other address", "810001199408230021", Province | Checksum},
		{"no such nation on a card", "932999198501010010", Nation},
		{"card, no such province", "999682198501010017", Province | Checksum},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ResidentID(tt.id, day); got != tt.want {
				t.Errorf("ResidentID(%q) = %v, want %v", tt.id, got, tt.want)
			}
		})
	}
}

func TestCreditCode(t *testing.T) {
	tests := []struct {
		name, code string
		want       Fault
	}{
		{"right", "1121010060181590XA", OK},
		{"right", "122101002001826383", OK},
		{"placeholder of the manual", "111", Length},
		{"placeholder of the manual", "000001", Length},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := CreditCode(tt.code); got != tt.want {
				t.Errorf("CreditCode(%q) = %v, want %v", tt.code, got, tt.want)
			}
		})
	}
}
