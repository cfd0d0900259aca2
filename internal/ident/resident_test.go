package ident_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	. "tianbao/internal/ident"
)

func TestResidentID(t *testing.T) {
	tests := []struct {
		name, id string
		want     Fault
	}{
		{"right", "21010319810614429X", OK},
		{"converted old number", "610104196209276908", OK},
		{"born today", "21010320220923900?", OK},
		{"born tomorrow", "21010320220924900?", Future},
		{"born in the last year before", "21010318991231900?", Ancient},
		{"born in 1900", "21010319000101900?", OK},
		{"29 February of a leap year", "21010320000229900?", OK},
		{"29 February of 1900", "21010319000229900?", Birthdate},
		{"30 February", "21010319800230900?", Birthdate},
		{"month 13", "21010319801301900?", Birthdate},
		{"month 0", "21010319800001900?", Birthdate},
		{"day 0", "21010319800100900?", Birthdate},
		{"31 April", "21010319800431900?", Birthdate},
		{"check digit wrong", "210103198106144291", Checksum},
		{"Hong Kong permit", "810000199408230021", Permit},
		{"Taiwan permit", "830000199201300022", Permit},
		{"Hong Kong, another address", "81000119940823002?", Province},
		{"Taiwan has no resident numbers", "71000019900101900?", Province},
		{"no such province", "16010219900101900?", Province},
		{"no region at all", "00000019900101900?", Province},
		{"permanent-resident card of 2023", "932682198501010017", Permit},
		{"card, no such nation", "93299919850101001?", Nation},
		{"card, no such province", "99968219850101001?", Province},
		{"permanent-resident card of 2017", "KAZ110090123105", Permit},
		{"card of 2017, wrong check", "KAZ110090123104", Checksum},
		{"card of 2017, unknown nation", "XQZ110090123105", Nation | Checksum},
		{"card of 2017, no such day", "KAZ110090133105", Birthdate | Checksum},
		{"card of 2017, no such area", "KAZ990090123105", Province},
		{"card of 2017, letters behind", "KAZ1100901231O5", Charset},
		{"card of 2017, masked", "KAZ1100******05", Charset | Masked},
		{"old number", "610104620927690", Length | Old15},
		{"too short", "21010319810614429", Length},
		{"short with a letter", "2101O", Length | Charset},
		{"too long", "21010319810614429XX", Length | Charset},
		{"empty", "", Length},
		{"multiplication sign for X", "21010319810614429×", Charset},
		{"Cyrillic Kha for X", "21010319810614429Х", Charset},
		{"Greek Chi for X", "21010319810614429Χ", Charset},
		{"letter inside", "2101031981O614429X", Charset},
		{"X inside", "2101031981X614429X", Charset},
		{"masked", "210103********429X", Charset | Masked},
		{"lost character", "21010319810614429\uFFFD", Charset | Replaced},
		{"invalid UTF-8", "21010319810614429\xff", Charset | Replaced},
		{"exponent", "2.10102197007072E+17", Length | Charset | Excel},
		{"exponent without plus", "2E17", Length | Charset | Excel},
		{"exponent of the right length", "2.101021970070E+17", Charset | Excel},
		{"point zero", "210102197007072000.0", Length | Charset | Excel},
		{"zeroed tail", "210102197007200000", Checksum | Excel},
		{"zeros that are right", "210102197007050000", OK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := tt.id
			if before, ok := strings.CutSuffix(id, "?"); ok { // the check digit that fits
				id = before + string(ResidentCheck(before))
			}
			if got := ResidentID(id, day); got != tt.want {
				t.Errorf("ResidentID(%q) = %v, want %v", id, got, tt.want)
			}
		})
	}
}

// synthetic returns a right resident id of nobody: sequence digits 900 to 995.
func synthetic(r *rand.Rand) string {
	prefix := []string{"210102", "210283", "110101", "371402", "659001", "810000", "830000", "921840"}[r.IntN(8)]
	id := fmt.Sprintf("%s%04d%02d%02d%03d", prefix, 1930+r.IntN(80), 1+r.IntN(12), 1+r.IntN(28), 900+r.IntN(96))
	return id + string(ResidentCheck(id))
}

func TestResidentIDCatchesSlips(t *testing.T) {
	r := newRand()
	for range 200 {
		id := synthetic(r)
		if f := ResidentID(id, day); f&^Permit != OK {
			t.Fatalf("ResidentID(%q) = %v", id, f)
		}
		for i := range 18 {
			for _, c := range []byte("0123456789X") {
				if c == id[i] || c == 'X' && i < 17 {
					continue
				}
				if m := id[:i] + string(c) + id[i+1:]; ResidentID(m, day)&^Permit == OK {
					t.Fatalf("%q passes for %q", m, id)
				}
			}
			if i == 17 || id[i] == id[i+1] {
				continue
			}
			if m := id[:i] + id[i+1:i+2] + id[i:i+1] + id[i+2:]; ResidentID(m, day)&^Permit == OK {
				t.Fatalf("swapped %q passes for %q", m, id)
			}
		}
	}
}

func TestCard2017CatchesDigits(t *testing.T) {
	const card = "KAZ110090123105"
	for i := 3; i < 15; i++ {
		for c := byte('0'); c <= '9'; c++ {
			if m := card[:i] + string(c) + card[i+1:]; m != card && ResidentID(m, day) == Permit {
				t.Errorf("%q passes", m)
			}
		}
	}
}

func TestConvert15(t *testing.T) {
	tests := []struct {
		name, old, want string
		ok              bool
	}{
		{"specimen", "610104620927690", "610104196209276908", true},
		{"centenarian", "210102000101996", "21010218000101996", true},
		{"last ordinary sequence", "210102620101995", "21010219620101995", true},
		{"14 digits", "61010462092769", "", false},
		{"letter", "61010462092769X", "", false},
		{"card of 2017", "KAZ110090123105", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Convert15(tt.old)
			if ok != tt.ok || len(got) > 0 && got[:17] != tt.want[:17] {
				t.Errorf("Convert15(%q) = %q, %v", tt.old, got, ok)
			}
			if ok && ResidentID(got, day)&^Ancient != OK {
				t.Errorf("converted %q: %v", got, ResidentID(got, day))
			}
		})
	}
}

func TestIsForeignCard(t *testing.T) {
	for id, want := range map[string]bool{
		"932682198501010017": true, "932682198501010018": true, "KAZ110090123105": true, "KAZ110090123104": true,
		"21010319810614429X": false, "810000199408230021": false, "9326": false, "": false, "610104620927690": false,
	} {
		if got := IsForeignCard(id); got != want {
			t.Errorf("IsForeignCard(%q) = %v", id, got)
		}
	}
}

func TestResidentIDAllocates(t *testing.T) {
	for _, id := range []string{"21010319810614429X", "932682198501010017", "KAZ110090123105", "210103********429X", "610104620927690"} {
		noAllocs(t, id, func() { ResidentID(id, day) })
	}
}
