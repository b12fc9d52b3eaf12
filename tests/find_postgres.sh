#!/bin/sh
# Make sure there are a PostgreSQL server and a C compiler: the system's, else Debian's packages (as root).
set -eu

found() { ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null || command -v initdb; }
compiler() { command -v cc || command -v gcc; }

if ! found >/dev/null || ! compiler >/dev/null; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		apt-get update -qq
		apt-get install -y -qq --no-install-recommends gcc libc6-dev postgresql-common >/dev/null
		# The tests start a server of their own; Debian's needs none beside it.
		sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
		apt-get install -y -qq --no-install-recommends postgresql >/dev/null
	fi
fi
found || {
	echo "No PostgreSQL server was found and none could be installed."
	[ "${CI:-}" = true ] && exit 1
	echo "The tests on PostgreSQL will be skipped."
}
compiler || {
	echo "No C compiler was found and none could be installed."
	[ "${CI:-}" = true ] && exit 1
	echo "The tests that cut the power will be skipped."
}
