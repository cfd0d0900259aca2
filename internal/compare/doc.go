// Package compare holds what was collected against the old system's list of users and
// says, for every line of either, which of four lists it belongs to: 已匹配, 新系统缺,
// 旧系统无 or 存疑.
//
// The ladder has five rungs: user name within the unit, organisation code and id, id,
// phone, name with a like unit. A pair is found on a rung and must then not be contradicted
// by its other cells; what is contradicted, or has more than one answer, is 存疑 and left
// to a person. Nothing is ever paired on a name alone.
//
// [Engine] joins by hashes: two lines meet only where they share a key, lines that meet
// form a small cluster, and a cluster is judged by itself. So the cost grows with the number
// of lines, and when some of them change only their clusters are judged again, with the
// result that a full run would have.
//
// Rules: what it says of a line follows from the lines and decisions alone, not from the
// order in which they came. Only equality is asked of ids and phones, so callers pass keyed
// indexes of them; nothing here prints a cell.
package compare
