// Package message publishes notices (消息公告) to units, keeps who read them, and takes
// what units ask about them to whoever may answer.
//
// Rules. A notice belongs to a bureau ([tianbao.Notice].Owner) and is for the subtrees of
// units within that bureau's own; whoever leads a subtree that holds the owner may amend
// and withdraw it. What was published is never overwritten: an amendment is another
// version, and whoever read an earlier one is told. A notice counts as read by a unit when
// an account whose role is over this very unit opened its newest version.
//
// A question is seen by the unit that asked, by whoever fills in for it, and by the
// bureaus above it. An answer goes to the unit; or, from the notice's own bureau, to
// everybody whom the notice is for, under the wording that the bureau gives the question,
// and without the unit.
//
// Danger: what units write may name people. Texts of questions go into no error, event or
// log; a resident id is not published ([Service.Answer]).
package message
