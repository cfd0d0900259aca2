// Package load puts a server under the load of a deadline evening and measures it. It has
// three parts, which know nothing of each other:
//
//   - a made-up province ([Province]): units, accounts and rows that follow from a seed, so
//     that the generator knows what the server holds without asking it;
//   - a clerk ([Clerk]): a signed-in browser in short, over real HTTP, on connections that
//     cost little ([Conn]), since generator and server share the processors;
//   - loops that time what they are given: [Open], where arrivals follow a clock and do not
//     wait for answers, and [Closed], where n clients ask one after another.
//
// Times of an open loop are taken from when a request was meant to start. A generator that
// waits for a slow answer before it sends the next request does not see those that would
// have waited too ("coordinated omission"); here each has its own goroutine and its own time.
//
// All persons are invented: phones begin with 160, the sequence numbers of resident ids are
// 900 to 995.
package load
