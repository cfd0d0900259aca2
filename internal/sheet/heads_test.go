package sheet

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao/internal/check"
)

// A list of whatever origin: its header is told, and read as a person says.
func TestHeadsAndHeaders(t *testing.T) {
	const list = "单位用户一览表,,,\n账户,人员,使用部门,备注\nzc01,张建国,示范一中,\nzc02,李小明,示范二中,新\n"
	data := []byte(list)
	heads, err := Heads(context.Background(), bytes.NewReader(data), int64(len(data)), "名单.csv", newChecker(t), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(heads) != 1 || heads[0].Row != 2 || !cmp.Equal(heads[0].Texts, []string{"账户", "人员", "使用部门", "备注"}) {
		t.Fatalf("heads %+v", heads)
	}
	if heads[0].Fields[0] != "" || heads[0].Names[0] != HeaderName(" 账户 ") {
		t.Errorf("heads %+v", heads)
	}
	headers := map[string]string{HeaderName("账户"): "legacy_username", HeaderName("人员"): "person_name", HeaderName("使用部门"): "unit_name", HeaderName("备注"): ""}
	optional := *newChecker(t).Form()
	optional.Fields = append(optional.Fields[:0:0], optional.Fields...)
	for i := range optional.Fields {
		optional.Fields[i].Required = false
	}
	c, err := check.New(&optional, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	imp, err := Read(context.Background(), bytes.NewReader(data), int64(len(data)), "名单.csv", c, ReadOptions{Headers: headers})
	if err != nil {
		t.Fatal(err)
	}
	if len(imp.Rows) != 2 || len(imp.Unknown) != 0 {
		t.Fatalf("%d rows, unknown %q", len(imp.Rows), imp.Unknown)
	}
	v := imp.Rows[1].Row.Values
	if v[optional.Index("legacy_username")] != "zc02" || v[optional.Index("person_name")] != "李小明" || v[optional.Index("unit_name")] != "示范二中" {
		t.Errorf("row %q", []string(v))
	}
	// Rows are no header, however many short texts they have.
	data = []byte("zc01,张建国,13012345678,示范一中,甲\n账户,人员,电话\n")
	if heads, err = Heads(context.Background(), bytes.NewReader(data), int64(len(data)), "名单.csv", c, ReadOptions{}); err != nil || heads[0].Row != 2 {
		t.Errorf("heads %+v, %v", heads, err)
	}
}
