//go:build race

package e2e

// raceDetector tells that the race detector is on.
const raceDetector = true
