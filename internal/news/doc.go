// Package news tells other systems what happens: an officer subscribes an address to some
// kinds of events of a subtree, and the address is told of each by a signed request
// (事件订阅, webhooks). Others ask for the same news by the feed.
//
// Rules. News is written by the transaction of what it tells of, and numbered later by one
// server at a time ([Service.Round]), so that a number stands for good once it is seen and
// the news of one unit has rising numbers in the order in which it happened. Numbering puts
// a delivery down for each subscription. A round leases a subscription, sends what waits and
// writes down each answer: of one unit one after the other, of several units at once. What
// was sent and not written down is sent again under the same id: at least once. An address
// that does not answer, or with an error that may pass, keeps everything waiting and is tried
// again after a growing time; what it refuses for good, or again and
// again while it takes the rest, is noted and left out. After [GiveUp]
// without one success the subscription stops; what happens meanwhile goes on waiting for
// [Keep], so that it is told, in order, when an officer lets it go on.
//
// Danger: the address was chosen by an officer and not by who runs the server, so the sender
// that is put in must not lead to machines that the server alone reaches. Address and secret
// are sealed at rest and in no error.
package news
