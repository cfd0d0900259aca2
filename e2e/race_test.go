//go:build race

package e2e

// raceDetector tells that the race detector is on: it takes five to ten times the
// memory, so figures of memory are not compared then.
const raceDetector = true
