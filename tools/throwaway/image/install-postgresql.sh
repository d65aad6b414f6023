#!/bin/sh
# Installs this Debian's or Ubuntu's PostgreSQL and its pg_cron, as root, and makes no cluster:
# neither a data directory nor a service comes of it.
set -eu

export DEBIAN_FRONTEND=noninteractive
apt_install() {
  apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
}

apt-get update -q
major=$(apt-cache depends postgresql | sed -n 's/^ *Depends: postgresql-\([0-9][0-9]*\)$/\1/p')
if [ -z "$major" ]; then
  echo "apt-cache names no PostgreSQL version: are the distribution's package sources enabled?" >&2
  exit 1
fi

# postgresql-common comes first because it reads this setting when the server package arrives.
apt_install postgresql-common
no_cluster=/etc/postgresql-common/createcluster.d/pcache-migrate.conf
trap 'rm -f "$no_cluster"' EXIT
mkdir -p "${no_cluster%/*}"
echo 'create_main_cluster = false' >"$no_cluster"

# Not every release has it: bookworm does not. Without it, the tests of its backend are skipped.
roaringbitmap="postgresql-$major-roaringbitmap"
apt-cache show "$roaringbitmap" >/dev/null 2>&1 || roaringbitmap=
# shellcheck disable=SC2086  # empty means none
apt_install "postgresql-$major" "postgresql-$major-cron" $roaringbitmap
