# postgres.sh: what scripts that start a PostgreSQL server begin with; they source it, with
# the programs they need named in $needs. It sets
#   bin     the newest server's programs that have all of them: PATH first, then where
#           Debian keeps versions side by side
#   prefix  what lets a command run as a user that the server accepts, empty if we are one
#   owner   that user, empty if it is us
# and defines as() which runs a command so. It ends with 3 where something is missing.
bin=
for d in $(dirname "$(command -v initdb 2>/dev/null || echo /)") $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -V -r); do
	bin=$d
	for program in $needs; do
		[ -x "$d/$program" ] || bin=
	done
	[ -z "$bin" ] || break
done
if [ -z "$bin" ]; then
	echo "$0: no PostgreSQL server found; install the Debian package 'postgresql' (version 15 or later)" >&2
	exit 3
fi

# The server refuses to run as root; another user owns its files then.
prefix=
owner=
if [ "$(id -u)" -eq 0 ]; then
	owner=nobody
	if id postgres >/dev/null 2>&1; then
		owner=postgres
	fi
	if command -v runuser >/dev/null 2>&1; then
		prefix="runuser -u $owner --"
	elif command -v setpriv >/dev/null 2>&1; then
		prefix="setpriv --reuid=$owner --regid=$(id -g "$owner") --clear-groups"
	else
		echo "$0: run as an ordinary user, or install the Debian package 'util-linux' (runuser)" >&2
		exit 3
	fi
fi
as() { $prefix "$@"; }
