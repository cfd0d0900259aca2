#!/bin/sh
# with-replica.sh CMD...: runs CMD with a throw-away PostgreSQL primary and a replica that
# it waits for at each commit (synchronous_commit=on).
#
# CMD finds an address that leads to whichever of the two takes writes in
# TIANBAO_TEST_PG_PAIR, and in TIANBAO_TEST_PG_TAKEOVER a script that kills the primary
# without a word and promotes the replica. Like with-postgres.sh otherwise.
set -eu

if [ $# -eq 0 ]; then
	echo "usage: $0 CMD..." >&2
	exit 2
fi
needs="initdb pg_ctl pg_basebackup psql"
. "$(dirname "$0")/postgres.sh"

dir=$(mktemp -d "${TMPDIR:-/tmp}/tianbao-pair.XXXXXX")
if [ -n "$owner" ]; then
	chown "$owner" "$dir"
fi
stop() {
	trap - EXIT
	for d in one two; do
		[ -f "$dir/$d/postmaster.pid" ] && as "$bin/pg_ctl" -D "$dir/$d" -m immediate -w stop >/dev/null 2>&1 || true
	done
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

fail() {
	cat "$dir"/*.log >&2 || true
	echo "$0: $1" >&2
	exit 3
}
cwd=$PWD
cd "$dir" # where the server's user may be
as "$bin/initdb" -D "$dir/one" -U postgres -A trust -E UTF8 --locale=C >"$dir/initdb.log" 2>&1 || fail 'initdb failed'
cat >>"$dir/one/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = replica
max_wal_senders = 5
synchronous_commit = on
fsync = on
CONF

# start FOLDER OPTIONS...: starts a server on some free port, which is left in $port.
start() {
	folder=$1
	shift
	try=0
	while [ "$try" -lt 20 ]; do
		port=$((20000 + ($(od -An -N2 -tu2 /dev/urandom) % 30000)))
		if as "$bin/pg_ctl" -D "$dir/$folder" -l "$dir/$folder.log" -o "-p $port $*" -w -t 60 start >/dev/null 2>&1; then
			return 0
		fi
		try=$((try + 1))
	done
	fail "the server '$folder' does not start"
}
start one -c "synchronous_standby_names='*'"
one=$port
as "$bin/pg_basebackup" -h 127.0.0.1 -p "$one" -U postgres -D "$dir/two" -R -X stream -c fast >"$dir/base.log" 2>&1 || fail 'the replica was not made'
start two -c wal_retrieve_retry_interval=200ms
two=$port
try=0
until [ "$(as "$bin/psql" -h 127.0.0.1 -p "$one" -U postgres -Atc "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")" = 1 ]; do
	try=$((try + 1))
	[ "$try" -lt 100 ] || fail 'the replica does not follow'
	sleep 0.1
done

cat >"$dir/takeover" <<SCRIPT
#!/bin/sh
pid=\$(head -n 1 '$dir/one/postmaster.pid')
children=
for p in /proc/[0-9]*; do
	[ "\$(sed 's/.*) //' "\$p/stat" 2>/dev/null | cut -d' ' -f2)" = "\$pid" ] || continue
	children="\$children \${p#/proc/}"
	# First the replica hears nothing for a while, so that what is answered without it is lost.
	grep -q walsender "\$p/cmdline" && kill -STOP "\${p#/proc/}"
done
sleep 0.3
# Its children before it, so that none outlives it.
kill -9 \$children "\$pid" 2>/dev/null
cd '$dir' && $prefix '$bin/pg_ctl' -D '$dir/two' -w -t 60 promote >/dev/null
SCRIPT
chmod 755 "$dir/takeover"
cd "$cwd"
TIANBAO_TEST_PG_PAIR="postgres://postgres@127.0.0.1:$one,127.0.0.1:$two/postgres?sslmode=disable&target_session_attrs=read-write" \
	TIANBAO_TEST_PG_TAKEOVER="$dir/takeover" "$@"
