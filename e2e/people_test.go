package e2e

import (
	"fmt"

	"tianbao/internal/ident"
)

// The unit of the demonstration's clerk as the register has it; whose rows person makes.
const (
	unitName   = "锦州市第一示范小学"
	unitBudget = "501001001"
)

// person returns the cells of an invented person of that unit: right in every respect,
// phone 160…, sequence number 900 to 995.
func person(n int) map[string]string {
	return map[string]string{
		"budget_code": unitBudget, "unit_name": unitName, "org_code": orgCode(900103), "unit_type": "事业单位",
		"legacy_username": fmt.Sprintf("user%d", n), "person_name": "张示例", "person_id": residentID(n), "phone": fmt.Sprintf("160%08d", 10000000+n),
	}
}

func residentID(n int) string {
	s := fmt.Sprintf("210702%d%02d%02d%d", 1960+n/2688%40, n/224%12+1, n/8%28+1, 900+n%96)
	return s + string(ident.ResidentCheck(s))
}

func orgCode(n int) string { return ident.CompleteCredit(fmt.Sprintf("12210700MB%06d", n)) }

// inserts are changes that append the given people.
func inserts(from, to int) []change {
	var cs []change
	for n := from; n < to; n++ {
		cs = append(cs, change{"op": "insert", "temp": fmt.Sprint("t", n), "after": "end", "cells": person(n)})
	}
	return cs
}
