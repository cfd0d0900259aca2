// Package figure draws small charts as SVG: a province as tiles, and how a number came
// along over days.
//
// Rules. What is drawn is said in words too: each tile bears its name and its number, and
// a title that tells all of it; colour comes from classes of the site's style and is never
// the only sign. Nothing is measured or laid out by chance: the same data give the same
// text. The caller gives words in the users' language; texts are escaped here.
package figure
