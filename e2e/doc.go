// Package e2e tests the product from outside: a real server in a process of its
// own, on both engines, with real programs, real workbooks and a real browser. It
// also takes the pictures of the user's manual.
package e2e
