// Package house holds the tests that keep the house in order: which package may
// import which, that every package says what it is for, how long files may grow,
// and which modules are used. It has no code of its own.
package house
