// Package sheetbench puts <tb-sheet> and the grids that others use through one
// battery on one page: input methods, pasting, keys, speed, accessibility, cleaning
// up. Its one test runs only with TIANBAO_SHEETBENCH=1 (make bench-grid) and writes
// its tables into docs/sheet.md.
//
// Rules: a grid is known to the driver by its adapter alone (tools/sheetbench), and
// what a check asks is asked of the rows, not of the looks. A grid that throws, hangs
// or loses the page fails that check and no other.
//
// The package holds no code of its own; its tests import what they need.
package sheetbench
