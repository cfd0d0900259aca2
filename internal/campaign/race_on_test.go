//go:build race

package campaign_test

// raceDetector tells whether the race detector looks on.
const raceDetector = true
