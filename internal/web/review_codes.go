package web

import (
	"maps"
	"slices"

	"tianbao"
)

// ruleName is a rule whose faults ask for a reason, as lists offer it.
type ruleName struct{ Code, Title string }

// reasonCodes are the rules of a form whose faults ask for a reason.
func (s *Server) reasonCodes(form string, version int) ([]ruleName, error) {
	rules, err := s.Reports.Rules(form, version)
	if err != nil {
		return nil, err
	}
	f := rules.Form()
	out := []ruleName{
		{"unit.name_mismatch", "单位名称与登记册不同"},
		{"unit.code_mismatch", "单位代码与登记册不同"},
		{"unit.type_mismatch", "单位类型与登记册不同"},
		{"legacy.unknown", "旧系统名单中没有这个用户名"},
		{"legacy.other_unit", "用户名在旧系统中属于其他单位"},
		{"person.elsewhere", "其他单位也填报了这个人"},
	}
	for i := range f.Fields {
		fd := &f.Fields[i]
		for _, rule := range slices.Sorted(maps.Keys(fd.Rules)) {
			if fd.Rules[rule] == tianbao.SeverityJustify {
				out = append(out, ruleName{fd.Key + "." + rule, fd.Letter + "列 " + fd.Title + "（" + rule + "）"})
			}
		}
	}
	for i := range f.CrossRules {
		if r := &f.CrossRules[i]; r.Severity == tianbao.SeverityJustify {
			out = append(out, ruleName{r.Code, r.Code})
		}
	}
	return out, nil
}
