// Package report is the one door to stored rows. Page, workbook, mail and API all
// come in as the same change set, meet the same merge, the same check and the
// same access rule here, and leave as one atomic commit with its history.
//
// Rules: a row's number is only an order, its id is its identity; a change set is
// made from a version of the report, and a cell that somebody else changed since
// is a conflict to be decided, never overwritten; 提交 saves also what is faulty,
// 上报 is refused while a fault of severity error, or a justify without its
// reason, remains.
//
// Danger: everything here handles ids and phone numbers in clear. Nothing in this
// package may put a cell's text into an error or a log.
package report
