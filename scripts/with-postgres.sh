#!/bin/sh
# with-postgres.sh CMD...: runs CMD with a throw-away PostgreSQL server.
#
# The server listens on 127.0.0.1 only, on a free port, and trusts whoever is on
# this machine; it lives in a temporary directory and ends with CMD, whose exit
# code is returned. CMD finds its address in TIANBAO_TEST_PG.
#
# Everything that makes a commit durable stays on (fsync, synchronous_commit), so
# that what is measured is what is promised.
set -eu

if [ $# -eq 0 ]; then
	echo "usage: $0 CMD..." >&2
	exit 2
fi

needs="initdb pg_ctl"
. "$(dirname "$0")/postgres.sh"

dir=$(mktemp -d "${TMPDIR:-/tmp}/tianbao-pg.XXXXXX")

if [ -n "$owner" ]; then
	chown "$owner" "$dir"
fi

child=
stop() {
	trap - EXIT
	# A signal ends CMD before its server.
	if [ -n "$child" ]; then
		kill -TERM "$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	if [ -f "$dir/data/postmaster.pid" ]; then
		as "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
	fi
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$dir" # where the server's user may be
if ! as "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C >"$dir/initdb.log" 2>&1; then
	cat "$dir/initdb.log" >&2
	exit 3
fi
cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 128MB
max_wal_size = 2GB
checkpoint_timeout = 30min
autovacuum_naptime = 10s
fsync = on
synchronous_commit = on
CONF

# A port is free until somebody takes it: try some, beginning where chance says.
port=
try=0
while [ "$try" -lt 20 ]; do
	p=$((20000 + ($(od -An -N2 -tu2 /dev/urandom) % 30000)))
	if as "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-p $p" -w -t 60 start >/dev/null 2>&1; then
		port=$p
		break
	fi
	try=$((try + 1))
done
if [ -z "$port" ]; then
	cat "$dir/log" >&2
	echo "$0: the PostgreSQL server does not start" >&2
	exit 3
fi
cd "$OLDPWD"

TIANBAO_TEST_PG="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
export TIANBAO_TEST_PG
# In the background, so that a signal is handled at once; CMD keeps our input.
"$@" <&0 &
child=$!
code=0
wait "$child" || code=$?
child=
exit "$code"
