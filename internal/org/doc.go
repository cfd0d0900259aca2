// Package org changes the register of units: the regions' units, departments and
// bureaus as one tree, with their history.
//
// There is one way to change an entry. A workbook ([Service.Preview], [Service.Apply]), an
// act of a bureau ([Service.Change]) and a unit's request that its bureau accepts
// ([Service.Accept]) all become a tianbao.RegisterChange, which the store carries out
// whole or not at all, with its events.
//
// Rules. Changes hold from a day on, which is not in the future and not before the last
// change of the same entry: what was, stays as of its day. Units are looked for within
// the scope of who changes, so that nothing outside of it is named, matched or refused in
// a way that tells of it. A change is planned from one version of the register and made
// at that version; if somebody else was faster it is refused, and the plan is made anew.
// A blank in a workbook changes nothing, and no unit is closed because a workbook lacks
// it.
//
// Danger: entries hold contacts. They are masked before they are shown, and a history
// holds no more of them than that they changed.
package org
