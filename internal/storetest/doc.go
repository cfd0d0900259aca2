// Package storetest holds the one suite that the store must pass on SQLite and on
// PostgreSQL, and opens stores for the tests of other packages.
//
// PostgreSQL is reached by TIANBAO_TEST_PG, the URL of a superuser's database (see
// scripts/with-postgres.sh); each test makes a schema of its own in it. Without
// the variable its tests are skipped, or fail if TIANBAO_TEST_ALL=1.
//
// All ids and phone numbers here are synthetic: phones begin with 160, the ids'
// sequence numbers lie in 900 to 995.
package storetest
