package ident_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "tianbao/internal/ident"
)

type question struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// ask puts the questions to util-helpers (tools/node). Without Node or the
// installed package the test is skipped; with TIANBAO_TEST_ALL=1 it fails.
func ask(t *testing.T, qs []question) []bool {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("TIANBAO_TEST_ALL") == "1" {
		missing = t.Fatalf
	}
	tools := filepath.Join("..", "..", "tools", "node")
	node, err := exec.LookPath("node")
	if err != nil {
		missing("no second opinion: node is not installed")
	}
	if _, err := os.Stat(filepath.Join(tools, "node_modules", "util-helpers")); errors.Is(err, fs.ErrNotExist) {
		missing("no second opinion: run npm ci --prefix tools/node first")
	}
	var in, stderr bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, q := range qs {
		if err := enc.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(node, filepath.Join(tools, "oracle.mjs"))
	cmd.Stdin, cmd.Stderr = &in, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("oracle: %v: %s", err, stderr.String())
	}
	lines := strings.Fields(string(out))
	if len(lines) != len(qs) {
		t.Fatalf("oracle: %d answers to %d questions", len(lines), len(qs))
	}
	answers := make([]bool, len(lines))
	for i, line := range lines {
		answers[i] = line == "true"
	}
	return answers
}

// slip changes a value as clerks do: a digit, two neighbours, one too few.
func slip(r *rand.Rand, s string) string {
	i := r.IntN(len(s) - 1)
	switch r.IntN(4) {
	case 0:
		return s[:i] + fmt.Sprint(r.IntN(10)) + s[i+1:]
	case 1:
		return s[:i] + s[i+1:i+2] + s[i:i+1] + s[i+2:]
	case 2:
		return s[:i] + s[i+1:]
	}
	return s
}

// TestOracle compares with util-helpers. The differences are these, and no others:
// it does not know provinces, nations or the end of a month, takes dates to come
// and century codes 19 and 20 only; it takes social credit codes of any department
// and region; it has not heard of 〇. Of Han characters it is asked only within the
// blocks that it has.
func TestOracle(t *testing.T) {
	r := newRand()
	var qs []question
	add := func(kind, value string) { qs = append(qs, question{kind, value}) }
	for range 3000 {
		add("resident", slip(r, synthetic(r)))
		wild := fmt.Sprintf("%06d%04d%02d%02d%03d", r.IntN(1000000), 1850+r.IntN(200), r.IntN(14), r.IntN(33), 900+r.IntN(96))
		add("resident", wild+string(ResidentCheck(wild)))
		b := []byte("11210100?????????0")
		for i := 8; i < 17; i++ {
			b[i] = alphabet[r.IntN(31)]
		}
		add("credit", slip(r, withCheck(string(b))))
		b[0], b[1] = alphabet[r.IntN(31)], alphabet[r.IntN(31)]
		add("credit", withCheck(string(b)))
		add("mobile", slip(r, fmt.Sprintf("1%010d", r.Int64N(10_000_000_000))))
	}
	for _, han := range [][2]rune{
		{0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xF900, 0xFAD9}, {0x2E00, 0x33FF}, {0xA000, 0xABFF}, {0x2EBF0, 0x2EE5D}, {0x30000, 0x3134A}, {0x31350, 0x323AF},
	} {
		for range 300 {
			add("han", string(han[0]+r.Int32N(han[1]-han[0]+1)))
		}
	}
	both := map[string]int{}
	for i, theirs := range ask(t, qs) {
		q := qs[i]
		var ours bool
		var explained Fault // why we may refuse what they take
		var f Fault
		switch q.Kind {
		case "resident":
			f = ResidentID(q.Value, day)
			ours, explained = f&^Permit == OK, Province|Nation|Birthdate|Future
		case "credit":
			f = CreditCode(q.Value)
			ours, explained = f&^NotPublic == OK, Kind|Province
		case "mobile":
			f = Phone(q.Value)
			ours = f == OK
		case "han":
			f, _ = PersonName(q.Value, false, 1, 1)
			ours = f == OK
			if q.Value == "〇" {
				continue
			}
		}
		if ours != theirs && (ours || f&^explained != OK) {
			t.Errorf("%s %q: ours %v (%v), theirs %v", q.Kind, q.Value, ours, f, theirs)
		}
		if ours && theirs {
			both[q.Kind]++
		}
	}
	for _, kind := range []string{"resident", "credit", "mobile", "han"} {
		if both[kind] < 100 {
			t.Errorf("%s: only %d values are right for both", kind, both[kind])
		}
	}
}
