package message

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBlocks(t *testing.T) {
	text := func(lines ...string) Block { return Block{Kind: "text", Lines: lines} }
	for _, tt := range []struct {
		name, in string
		want     []Block
	}{
		{"nothing", " \n　\n", nil},
		{"paragraphs", "各单位：\r\n请填报。\n\n\n此致", []Block{text("各单位：", "请填报。"), text("此致")}},
		{"dots", "如下：\n- 甲\n• 乙\n* 丙", []Block{text("如下："), {Kind: "dots", Lines: []string{"甲", "乙", "丙"}}}},
		{"numbers", "3. 甲\n4. 乙\n4. 丙", []Block{{Kind: "numbers", Lines: []string{"甲", "乙"}, Start: 3}, {Kind: "numbers", Lines: []string{"丙"}, Start: 4}}},
		{"Chinese numbers", "1、甲\n2、乙", []Block{{Kind: "numbers", Lines: []string{"甲", "乙"}, Start: 1}}},
		{"no list", "-\n- \n1.5 倍\n2022. \n12345. 甲", []Block{text("-", "-", "1.5 倍", "2022.", "12345. 甲")}},
		{"markup is text", "<script>alert(1)</script>\n## 甲 [乙](javascript:1)", []Block{text("<script>alert(1)</script>", "## 甲 [乙](javascript:1)")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Blocks(tt.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzBlocks(f *testing.F) {
	f.Add("甲\n- 乙\n1. 丙\n999. 丁")
	f.Fuzz(func(t *testing.T, in string) {
		for _, b := range Blocks(in) {
			if len(b.Lines) == 0 || b.Kind != "text" && b.Kind != "dots" && b.Kind != "numbers" {
				t.Errorf("%q: %+v", in, b)
			}
		}
	})
}
