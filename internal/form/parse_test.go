package form_test

import (
	"os"
	"strings"
	"testing"

	"tianbao/internal/form"
)

func TestParseRefuses(t *testing.T) {
	b, err := os.ReadFile("testdata/contacts.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, from, to, want string
	}{
		{"unknown key of ours", `"tianbao:folder"`, `"tianbao:foldr"`, "tianbao:foldr"},
		{"unknown key of a field", `"tianbao:note": "可以不填"`, `"note": "可以不填"`, "note"},
		{"unknown constraint", `"maxLength": 4`, `"unique": true`, "unique"},
		{"key twice", `"tianbao:letter": "A"`, `"tianbao:letter": "A", "Tianbao:Letter": "B"`, `line 14, Tianbao:Letter: `},
		{"rule twice", `"length": "error", "checksum"`, `"length": "error", "length": "hint", "checksum"`, `line 15, length: `},
		{"unknown kind", `"tianbao:kind": "phone"`, `"tianbao:kind": "fax"`, `line 37, fields #4 (mobile) tianbao:kind: `},
		{"unknown rule", `"checksum": "error"`, `"checksumm": "error"`, `line 15, fields #1 (org_code) tianbao:rules checksumm: `},
		{"unknown severity", `"unknown": "error"`, `"unknown": "warning"`, `line 23, fields #2 (shift) tianbao:rules unknown: `},
		{"unknown mask", `"tianbao:mask": "name"`, `"tianbao:mask": "nane"`, `line 32, fields #3 (contact) tianbao:mask: `},
		{"sealed without mask", `"tianbao:mask": "phone", `, ``, `line 34, fields #4 (mobile) tianbao:mask: `},
		{"phone in clear", `"tianbao:seal": true, "tianbao:mask": "phone", `, ``, `fields #4 (mobile) tianbao:seal: `},
		{"type", `"title": "备注", "type": "string"`, `"title": "备注", "type": "integer"`, `line 42, fields #5 (remark) type: `},
		{"required without rule", `"required": "error", "length": "error"`, `"length": "error"`, `line 13, fields #1 (org_code) constraints required: `},
		{"rule required without constraint", `"constraints": {"required": true, "maxLength": 4}`, `"constraints": {"maxLength": 4}`, `line 28, fields #3 (contact) constraints required: `},
		{"enum elsewhere", `"constraints": {"required": true, "maxLength": 4}`, `"constraints": {"required": true, "enum": ["甲"]}`, `line 28, fields #3 (contact) constraints enum: `},
		{"choice without enum", `, "enum": ["白班", "夜班"]`, ``, `line 20, fields #2 (shift) constraints enum: `},
		{"enum twice", `["白班", "夜班"]`, `["白班", "白班"]`, `line 20, fields #2 (shift) constraints enum 1: `},
		{"enum with blank", `["白班", "夜班"]`, `["白班", "夜 班"]`, `line 20, fields #2 (shift) constraints enum 1: `},
		{"alias to nothing", `{"日班": "白班"}`, `{"日班": "中班"}`, "enumAliases"},
		{"alias of a member", `{"日班": "白班"}`, `{"夜班": "白班"}`, "enumAliases"},
		{"length turned round", `"maxLength": 4`, `"minLength": 5, "maxLength": 4`, `line 28, fields #3 (contact) constraints: `},
		{"length without rule", `"tianbao:rules": {}`, `"constraints": {"maxLength": 9}, "tianbao:rules": {}`, `line 44, fields #5 (remark) constraints: `},
		{"length of a kind", `"constraints": {"required": true},
      "tianbao:letter": "D"`, `"constraints": {"required": true, "maxLength": 11}, "tianbao:letter": "D"`, `line 36, fields #4 (mobile) constraints: `},
		{"pattern", `"maxLength": 4`, `"maxLength": 4, "pattern": "("`, "pattern"},
		{"width", `"tianbao:width": 30`, `"tianbao:width": 300`, `line 44, fields #5 (remark) tianbao:width: `},
		{"pixels", `"tianbao:pixels": 200`, `"tianbao:pixels": 0`, `line 44, fields #5 (remark) tianbao:pixels: `},
		{"note missing", `"tianbao:note": "可以不填"`, `"tianbao:note": ""`, `line 43, fields #5 (remark) tianbao:note: `},
		{"letter", `"tianbao:letter": "E"`, `"tianbao:letter": "e"`, `line 43, fields #5 (remark) tianbao:letter: `},
		{"letter twice", `"tianbao:letter": "E"`, `"tianbao:letter": "D"`, `line 43, fields #5 (remark) tianbao:letter: `},
		{"field name", `"name": "remark"`, `"name": "Remark"`, `line 42, fields #5 (Remark) name: `},
		{"field name twice", `"name": "remark"`, `"name": "mobile"`, `line 42, fields #5 (mobile) name: `},
		{"field named as the row number", `"name": "remark"`, `"name": "no"`, `line 42, fields #5 (no) name: `},
		{"header twice", `"title": "备注"`, `"title": "值班 手机"`, `line 42, fields #5 (remark) title 值班 手机: `},
		{"synonym twice", `["值班人姓名"]`, `["序号"]`, `line 27, fields #3 (contact) title 序号: `},
		{"form name", `"tianbao:name": "contacts"`, `"tianbao:name": "Contacts"`, `line 2, tianbao:name: `},
		{"version", `"tianbao:version": 1`, `"tianbao:version": 0`, `line 3, tianbao:version: `},
		{"missing values", `"tianbao:name": "contacts"`, `"missingValues": ["", "-"], "tianbao:name": "contacts"`, "missingValues"},
		{"no fields", `"fields": [`, `"tianbao:old": [`, "tianbao:old"},
		{"unit key", `"tianbao:unitKeys": ["org_code"]`, `"tianbao:unitKeys": ["unit"]`, `line 7, tianbao:unitKeys unit: `},
		{"identity by row number", `["org_code", "mobile"]`, `["org_code", "no"]`, `line 8, tianbao:identityKeys no: `},
		{"cross rule code", `"code": "mobile.twice"`, `"code": "twice"`, `line 49, tianbao:crossRules #1 (twice) code: `},
		{"cross rule severity", `"severity": "justify"`, `"severity": "bad"`, `line 49, tianbao:crossRules #1 (mobile.twice) severity: `},
		{"cross rule same", `"same": ["mobile"]`, `"same": ["mobile|telephone"]`, `line 49, tianbao:crossRules #1 (mobile.twice) same telephone: `},
		{"cross rule differ", `"same": ["mobile"]`, `"same": ["mobile"], "differ": ["name"]`, `line 49, tianbao:crossRules #1 (mobile.twice) differ name: `},
		{"cross rule at", `"at": "mobile"`, `"at": "phone"`, `line 49, tianbao:crossRules #1 (mobile.twice) at phone: `},
		{"cross rule without same", `"same": ["mobile"]`, `"same": []`, `line 49, tianbao:crossRules #1 (mobile.twice) same: `},
		{"cross rule without message", `"message": "本行的手机号与第{row}行相同，请说明原因。"`, `"message": ""`, `line 50, tianbao:crossRules #1 (mobile.twice) message: `},
		{"formula of no fault", `"contact.length", "mobile.twice"]`, `"contact.size", "mobile.twice"]`, `line 9, tianbao:formula contact.size: `},
		{"formula of a fault that is not asked for", `"shift.unknown", "contact.length"`, `"shift.unknown", "org_code.kind"`, `line 9, tianbao:formula org_code.kind: `},
		{"formula twice", `["required", "org_code.checksum"`, `["required", "required"`, `line 9, tianbao:formula required: `},
		{"text after the end", "\n}\n", "\n}\n{}", `line 54, : `},
		{"cut short", `"tianbao:crossRules"`, `"tianbao:crossRules`, `line 47, : `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := string(b)
			if strings.Count(s, tt.from) < 1 {
				t.Fatalf("the definition has no %s", tt.from)
			}
			i := strings.LastIndex(s, tt.from)
			_, err := form.Parse([]byte(s[:i] + tt.to + s[i+len(tt.from):]))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := form.Parse(make([]byte, 1<<20+1)); err == nil {
		t.Error("a definition without end was read")
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"asset-role.v1.json", "testdata/contacts.v1.json"} {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"a":[{}],"b":{"c":null}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, faults := form.Read(b)
		if len(faults) == 0 && (x.Name == "" || len(x.Fields) == 0) {
			t.Error("read a form without name or fields")
		}
		for _, f := range faults {
			if f.Message == "" || f.Line < 0 {
				t.Errorf("a fault says nothing: %+v", f)
			}
		}
		if x == nil {
			return
		}
		// What was read is written and read again, whatever is wrong with it.
		again, err := form.Write(x, b)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if y, left := form.Read(again); y == nil || len(faults) == 0 && (len(left) > 0 || len(form.Diff(x, y)) > 0) {
			t.Errorf("what was written reads as another form: %v %v", left, form.Diff(x, y))
		}
	})
}
