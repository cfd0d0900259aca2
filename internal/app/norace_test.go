//go:build !race

package app

// raceDetector tells that the race detector is on.
const raceDetector = false
