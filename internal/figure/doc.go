// Package figure draws small charts as SVG: a province as tiles or, where somebody brings
// its borders as GeoJSON, as a map, and how a number came along over days.
//
// Rules. What is drawn is said in words too: each tile bears its name and its number, and
// a title that tells all of it; colour comes from classes of the site's style and is never
// the only sign. Nothing is measured or laid out by chance: the same data give the same
// text. The caller gives words in the users' language; texts are escaped here.
//
// Danger: a map is strangers' bytes. [ReadGeo] is bounded in features, points and what it
// keeps, and nothing of the file but numbers gets into a figure.
package figure
