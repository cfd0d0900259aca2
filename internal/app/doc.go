// Package app is the wiring of the program: subcommands, flags and environment,
// and the order in which the parts start and stop.
//
// Rules: a command takes its arguments and its outputs, gives an exit code and
// keeps no state, so that a test runs it as the shell does.
//
// Danger: the reports of check hold ids and phone numbers in clear, since the file
// is the user's own. They go to standard output and to the directory that was
// named, readable by their owner only, and never to a log.
package app
