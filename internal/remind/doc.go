// Package remind is 催报: it tells units before their time is over that their report is
// still missing.
//
// Rules. Whom, when and how often is one collection's [Policy]; the days off are data of
// it, since the State Council names them year by year. A round ([Service.Round]) puts
// reminders into an outbox: a unit is reminded at most once in the policy's interval,
// however many servers and officers try, because who reminds raises the unit's turn
// first. A delivery ([Service.Deliver]) claims what is due by a conditional update and
// decides once more inside that transaction, on where the unit stands then: who has
// reported before the claim is not reminded. What leaves the house goes out after the
// claim, at least once, with the same id each time; a claim that nobody ended is taken
// up again when its lease is over.
//
// Copies of notices by mail ([Service.QueueCopies]) lie in the same outbox and go out the
// same way, unless the notice was withdrawn or the unit wants none.
//
// The page's messages are delivered by the claim itself. Mail and webhook are
// [Sender]s that internal/app puts in (internal/mail, internal/webhook).
//
// Danger: contacts, addresses and texts are personal. They are opened for the channel
// that needs them, are in no error and no event, and texts at rest are sealed.
package remind
