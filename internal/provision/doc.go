// Package provision turns the accepted rows of a collection into accounts of the new
// platform (账号方案): who is to have one, under which login, of which units, and what has
// to be done to get there from what was applied so far. It does no I/O.
//
// Ideas: a person is a resident id, and has one account for ever; the login is the mobile
// phone. A [Plan] is the difference between what the rows say and what stands, so making
// it again after it was applied, or after any part of it was, gives the rest and nothing
// twice. Whoever moves to another unit is bound anew: never a second account.
//
// Rules: what is not certain is held and named with its reason ([Why]), and what stands
// stays as it is: nobody loses an account over a doubt, and nobody gets one. Units that
// have not reported say nothing, so nobody of theirs is disabled. At every point within
// a plan no two accounts have one login: a step that takes a login comes after the one
// that gives it up, and names it ([Step.Needs]). The same rows in any order give the same
// plan.
//
// Danger: all of it holds ids and phones in clear. Its types print themselves as a count.
package provision
