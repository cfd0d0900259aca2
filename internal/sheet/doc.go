// Package sheet reads workbooks that strangers send and writes the ones we give
// back. [Read] turns a file of any supported format into a tianbao.Import, [Scan] hands
// the rows of one that is too long for that on as they come, [Write]
// makes 原样导出 and the template, [WriteAnnotated] returns the sender's rows with
// each fault in its cell.
//
// Rules: a file is read whole or not at all — whatever is cut, corrupt or
// ambiguous is an error, never a short success, because a row lost in silence is a
// person lost. Columns are found by their names, never by position. Formats are
// told by content, never by the file's name. The form definition is the only
// source of headers, notes, widths and lists.
//
// Dangers: every byte is a stranger's. Nothing here recurses over the input,
// expands an entity, follows a link or trusts a declared size; what is inflated
// and kept is counted against [Limits] while it arrives. Cells hold ids and phone
// numbers: no error or remark of this package quotes a cell below the header.
//
// DESIGN.md tells why the reader is our own.
package sheet
