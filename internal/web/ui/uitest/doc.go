// Package uitest holds the browser tests of the sheet element alone: typing,
// input methods, keys, clipboard, drop-down, faults, speed of scrolling, policy and
// clean-up. The list of cases is the element's specification. There is no code but
// tests.
package uitest
