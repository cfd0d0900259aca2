package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// SEC-52: the list of a program, here this test's own, names its toolchain and modules
// with version and sum, and is the same each time.
func TestSEC52BillOfMaterials(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var first, again bytes.Buffer
	if err := run(exe, &first); err != nil {
		t.Fatal(err)
	}
	if err := run(exe, &again); err != nil || !bytes.Equal(first.Bytes(), again.Bytes()) {
		t.Errorf("the second list is another one (%v)", err)
	}
	var b bom
	if err := json.Unmarshal(first.Bytes(), &b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Spec != "1.6" || len(b.Metadata.Component.Hashes) != 1 || len(b.Metadata.Component.Hashes[0].Content) != 64 {
		t.Errorf("%+v", b.Metadata)
	}
	if !slices.ContainsFunc(b.Components, func(c component) bool { return c.Name == "std" && c.Version != "" }) {
		t.Error("the toolchain is not in the list")
	}
	if len(b.Dependencies[0].DependsOn) != len(b.Components) {
		t.Errorf("%d components, %d depended on", len(b.Components), len(b.Dependencies[0].DependsOn))
	}
	if err := run("main.go", &again); err == nil {
		t.Error("a file that is no program has a list")
	}
}
