package pdf

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func sample() []byte {
	d := New("完成证明", time.Date(2022, 9, 24, 0, 0, 0, 0, time.FixedZone("", 8*3600)))
	d.Page()
	d.Center(80, 20, "完成证明")
	d.Text(60, 120, 11, "辽宁省财政厅 TB20220924-AB (共 3 家)")
	d.Line(60, 130, 500, 130)
	d.Page()
	d.Text(60, 120, 11, "生僻字：龘；括号 () \\ 与<尖括号>")
	d.On(1, func() { d.Right(535, 800, 9, "第 1 页，共 2 页") })
	var b bytes.Buffer
	if _, err := d.WriteTo(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestSameCallsSameBytes(t *testing.T) {
	if !bytes.Equal(sample(), sample()) {
		t.Error("two documents differ")
	}
}

// Another reader finds every character in its order.
func TestTextComesBack(t *testing.T) {
	if _, err := exec.LookPath("pdftotext"); err != nil {
		if os.Getenv("TIANBAO_TEST_ALL") != "" {
			t.Fatal("pdftotext is missing")
		}
		t.Skip("pdftotext is missing")
	}
	name := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(name, sample(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", name, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := strings.Join(strings.Fields(string(out)), "")
	for _, want := range []string{"完成证明", "辽宁省财政厅TB20220924-AB(共3家)", "第1页，共2页", "龘；括号()\\与<尖括号>"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

func TestWidth(t *testing.T) {
	for _, c := range []struct {
		text string
		want float64
	}{
		{"", 0}, {"中文", 20}, {"0123456789", 55.6}, {"iW", 11.66}, {"a\nb", 13.9},
	} {
		if got := TextWidth(c.text, 10); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("TextWidth(%q) = %v, want %v", c.text, got, c.want)
		}
	}
	if got := Fit("辽宁省财政厅", 10, 40); got != "辽宁省…" {
		t.Errorf("Fit = %q", got)
	}
	if got := Fit("中", 10, 5); got != "" {
		t.Errorf("Fit into nothing = %q", got)
	}
}
