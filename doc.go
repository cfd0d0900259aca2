// Package tianbao holds the words of the trade: regions, units, forms, reports,
// rows, changes, problems and people. It does no I/O and imports nothing of ours,
// so every other package can speak these words without knowing who stores or
// shows them.
//
// Two dangers live here. A row's values contain resident ids and phone numbers in
// clear; [Values] therefore prints itself as a count of cells in every format, and
// whoever needs the text converts it on purpose. And a row's number on screen is
// only an order: the identity of a row is its [ID], never its [Row.Seq].
package tianbao
