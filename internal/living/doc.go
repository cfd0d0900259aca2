// Package living keeps a collection true after its round: units report what changes with
// their people, bureaus accept it, and the next round begins with what stands.
//
// Rules. A collection that has ended may be kept as a register (人员登记). What stands in
// it are the rows that were reported, nothing else; a change of one person (变更) waits
// beside them until it is accepted and then becomes one version of their report, like any
// save ([Service.Accept]). There is no second roster: whoever reads the rows of the
// collection reads the register. A person who moves leaves one unit and comes to the other
// in one transaction.
//
// A change holds from a day on ([tianbao.PersonChange].Day), never before the end of the
// round, before the last change of the same person there, or after today. Who was there on
// any day is folded back from the rows and the changes ([AsOf]); what was reported in the
// round is in the versions of the reports and never touched.
//
// The next round may be prefilled from another ([Service.Confirm]): nobody is in it before
// the unit says that they stay, and a report is not taken upward while answers are missing.
//
// What somebody learns of a person ends at the units that they see: the timeline
// ([Timeline]) is made of facts of these units only, and is the same whatever happened
// elsewhere.
//
// Danger: ids, phones and names are in [tianbao.Values], which does not print. Errors and
// events of this package name units, ids of changes and days, never people.
package living
