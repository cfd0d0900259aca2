// Reads a data package with the reference library and prints what it finds, as JSON:
// whether the descriptor is valid, and the rows or the errors of the table.
import {Package} from 'datapackage'

const pack = await Package.load(process.argv[2])
const out = {valid: pack.valid, errors: pack.errors.map(String), tabular: pack.resources[0].tabular, rows: [], faults: []}
try {
  out.rows = await pack.resources[0].read({forceCast: true, keyed: false})
  out.faults = out.rows.filter(r => r instanceof Error).flatMap(r => r.multiple ? r.errors.map(String) : [String(r)])
  out.rows = out.rows.filter(r => !(r instanceof Error))
} catch (e) {
  out.errors.push(String(e))
}
process.stdout.write(JSON.stringify(out))
