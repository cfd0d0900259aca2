package sheet

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/form"
)

// packaged writes a data package and returns its files.
func packaged(t *testing.T, rows []tianbao.Row) map[string][]byte {
	t.Helper()
	forms, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := forms.Latest("asset-role")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if err := WriteDataPackage(z.Create, f, forms.Schema(f.Name, f.Version), rowsSeq(rows), PackageOptions{Created: testStamp().At}); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]byte)
	for _, part := range r.File {
		in, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[part.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestDataPackage(t *testing.T) {
	rows := people(2)
	rows[1].Values[1] = "甲,\"乙\"\n丙"
	files := packaged(t, rows)
	want := "budget_code,unit_name,org_code,unit_type,legacy_username,person_name,person_id,phone\r\n" +
		strings.Join(person(0), ",") + "\r\n" +
		strings.Replace(strings.Join(person(1), ","), "试验单位1", "\"甲,\"\"乙\"\"\r\n丙\"", 1) + "\r\n"
	if d := cmp.Diff(want, string(files[packageData])); d != "" {
		t.Errorf("data (-want +got):\n%s", d)
	}
	var desc struct {
		Created   string
		Resources []struct {
			Bytes int
			Hash  string
		}
	}
	if err := json.Unmarshal(files[packageFile], &desc); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(files[packageData])
	if r := desc.Resources[0]; r.Bytes != len(files[packageData]) || r.Hash != "sha256:"+hex.EncodeToString(sum[:]) || desc.Created != "2022-09-23T08:30:01Z" {
		t.Errorf("descriptor %+v", desc)
	}
	broken := errors.New("broken")
	f := newChecker(t).Form()
	err := WriteDataPackage(func(string) (io.Writer, error) { return io.Discard, nil }, f, nil, func(yield func(tianbao.Row, error) bool) { yield(tianbao.Row{}, broken) }, PackageOptions{})
	if !errors.Is(err, broken) {
		t.Errorf("error of the rows: %v", err)
	}
	err = WriteDataPackage(func(string) (io.Writer, error) { return failing{}, nil }, f, nil, rowsSeq(people(9)), PackageOptions{})
	if !errors.Is(err, errFull) {
		t.Errorf("full disk: %v", err)
	}
}

// TestDataPackageIsValid asks the reference library: the package of clean rows has no
// fault, and of rows with faults those that the schema can tell.
func TestDataPackageIsValid(t *testing.T) {
	missing := t.Skipf
	if os.Getenv("TIANBAO_TEST_ALL") == "1" {
		missing = t.Fatalf
	}
	tools := filepath.Join("..", "..", "tools", "node")
	node, err := exec.LookPath("node")
	if err != nil {
		missing("node is not installed")
	}
	if _, err := os.Stat(filepath.Join(tools, "node_modules", "datapackage")); err != nil {
		missing("run npm ci --prefix tools/node first")
	}
	type answer struct {
		Valid, Tabular bool
		Errors, Faults []string
		Rows           [][]*string
	}
	ask := func(rows []tianbao.Row) (a answer) {
		dir := t.TempDir()
		for name, b := range packaged(t, rows) {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(node, filepath.Join(tools, "datapackage.mjs"), filepath.Join(dir, packageFile))
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &a); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return a
	}
	rows := people(50)
	rows[3].Values[0], rows[3].Values[4] = "", "" // both may be empty
	rows[4].Values[1] = "甲,\"乙\""
	got := ask(rows)
	if !got.Valid || !got.Tabular || len(got.Errors)+len(got.Faults) > 0 || len(got.Rows) != len(rows) {
		t.Fatalf("valid %v tabular %v, errors %q, faults %q, %d rows", got.Valid, got.Tabular, got.Errors, got.Faults, len(got.Rows))
	}
	for i, r := range got.Rows {
		cells := make([]string, len(r))
		for k, v := range r {
			if v != nil {
				cells[k] = *v
			}
		}
		if d := cmp.Diff([]string(rows[i].Values), cells); d != "" {
			t.Errorf("row %d (-want +got):\n%s", i, d)
		}
	}
	rows[1].Values[6] = "2101021990" // not the pattern
	rows[2].Values[3] = "企业"         // not of the list
	rows[5].Values[7] = ""           // must be filled
	if got := ask(rows); len(got.Faults) < 3 || len(got.Rows) != len(rows)-3 {
		t.Errorf("faults %q, %d rows", got.Faults, len(got.Rows))
	}
}
