package form_test

import (
	"testing"

	"tianbao/internal/form"
)

func TestBuiltin(t *testing.T) {
	r, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := r.Latest("asset-role")
	if f == nil || len(f.Fields) != 8 {
		t.Fatal("asset-role with eight fields is not published")
	}
}
