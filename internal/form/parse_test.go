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
		{"key twice", `"tianbao:letter": "A"`, `"tianbao:letter": "A", "Tianbao:Letter": "B"`, "twice"},
		{"rule twice", `"length": "error", "checksum"`, `"length": "error", "length": "hint", "checksum"`, "twice"},
		{"unknown kind", `"tianbao:kind": "phone"`, `"tianbao:kind": "fax"`, `mobile: tianbao:kind "fax"`},
		{"unknown rule", `"checksum": "error"`, `"checksumm": "error"`, `org_code: tianbao:rules: a credit_code has no fault "checksumm"`},
		{"unknown severity", `"unknown": "error"`, `"unknown": "warning"`, `severity "warning"`},
		{"unknown mask", `"tianbao:mask": "name"`, `"tianbao:mask": "nane"`, `mask "nane"`},
		{"sealed without mask", `"tianbao:mask": "phone", `, ``, "needs tianbao:mask"},
		{"type", `"title": "备注", "type": "string"`, `"title": "备注", "type": "integer"`, `type "integer"`},
		{"required without rule", `"required": "error", "length": "error"`, `"length": "error"`, "go together"},
		{"rule required without constraint", `"constraints": {"required": true, "maxLength": 4}`, `"constraints": {"maxLength": 4}`, "go together"},
		{"enum elsewhere", `"constraints": {"required": true, "maxLength": 4}`, `"constraints": {"required": true, "enum": ["甲"]}`, "belongs to kind"},
		{"choice without enum", `, "enum": ["白班", "夜班"]`, ``, "belongs to kind"},
		{"enum twice", `["白班", "夜班"]`, `["白班", "白班"]`, "stands twice"},
		{"enum with blank", `["白班", "夜班"]`, `["白班", "夜 班"]`, "blanks"},
		{"alias to nothing", `{"日班": "白班"}`, `{"日班": "中班"}`, "enumAliases"},
		{"alias of a member", `{"日班": "白班"}`, `{"夜班": "白班"}`, "enumAliases"},
		{"length turned round", `"maxLength": 4`, `"minLength": 5, "maxLength": 4`, "length from 5 to 4"},
		{"length without rule", `"tianbao:rules": {}`, `"constraints": {"maxLength": 9}, "tianbao:rules": {}`, "needs the rule"},
		{"length of a kind", `"constraints": {"required": true},
      "tianbao:letter": "D"`, `"constraints": {"required": true, "maxLength": 11}, "tianbao:letter": "D"`, "given by its kind"},
		{"pattern", `"maxLength": 4`, `"maxLength": 4, "pattern": "("`, "pattern"},
		{"width", `"tianbao:width": 30`, `"tianbao:width": 300`, "tianbao:width 300"},
		{"pixels", `"tianbao:pixels": 200`, `"tianbao:pixels": 0`, "tianbao:pixels 0"},
		{"note missing", `"tianbao:note": "可以不填"`, `"tianbao:note": ""`, "note is empty"},
		{"letter", `"tianbao:letter": "E"`, `"tianbao:letter": "e"`, `letter "e"`},
		{"letter twice", `"tianbao:letter": "E"`, `"tianbao:letter": "D"`, `letter "D" is taken`},
		{"field name", `"name": "remark"`, `"name": "Remark"`, `"Remark"`},
		{"field name twice", `"name": "remark"`, `"name": "mobile"`, "mobile: the name is taken"},
		{"field named as the row number", `"name": "remark"`, `"name": "no"`, "no: the name is taken"},
		{"header twice", `"title": "备注"`, `"title": "值班 手机"`, `already names mobile`},
		{"synonym twice", `["值班人姓名"]`, `["序号"]`, "already names no"},
		{"form name", `"tianbao:name": "contacts"`, `"tianbao:name": "Contacts"`, `"Contacts"`},
		{"version", `"tianbao:version": 1`, `"tianbao:version": 0`, "version 0"},
		{"missing values", `"tianbao:name": "contacts"`, `"missingValues": ["", "-"], "tianbao:name": "contacts"`, "missingValues"},
		{"no fields", `"fields": [`, `"tianbao:old": [`, "tianbao:old"},
		{"unit key", `"tianbao:unitKeys": ["org_code"]`, `"tianbao:unitKeys": ["unit"]`, `unitKeys: "unit"`},
		{"identity by row number", `["org_code", "mobile"]`, `["org_code", "no"]`, `identityKeys: "no"`},
		{"cross rule code", `"code": "mobile.twice"`, `"code": "twice"`, `"twice"`},
		{"cross rule severity", `"severity": "justify"`, `"severity": "bad"`, `"bad"`},
		{"cross rule same", `"same": ["mobile"]`, `"same": ["mobile|telephone"]`, `"telephone"`},
		{"cross rule differ", `"same": ["mobile"]`, `"same": ["mobile"], "differ": ["name"]`, `differ: "name"`},
		{"cross rule at", `"at": "mobile"`, `"at": "phone"`, `at: "phone"`},
		{"cross rule without same", `"same": ["mobile"]`, `"same": []`, "same is empty"},
		{"cross rule without message", `"message": "本行的手机号与第{row}行相同，请说明原因。"`, `"message": ""`, "message is empty"},
		{"formula of no fault", `"contact.length", "mobile.twice"]`, `"contact.size", "mobile.twice"]`, `"contact.size"`},
		{"formula of a fault that is not asked for", `"shift.unknown", "contact.length"`, `"shift.unknown", "org_code.kind"`, `"org_code.kind"`},
		{"formula twice", `["required", "org_code.checksum"`, `["required", "required"`, "stands twice"},
		{"text after the end", "\n}\n", "\n}\n{}", "after its end"},
		{"cut short", `"tianbao:crossRules"`, `"tianbao:crossRules`, "read definition"},
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
		if x, err := form.Parse(b); err == nil && (x.Name == "" || len(x.Fields) == 0) {
			t.Errorf("read a form without name or fields")
		}
	})
}
