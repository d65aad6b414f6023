#!/bin/sh
# Makes the cluster at the container's first start and runs it in the foreground. Its settings
# are the files that docker-cluster.ts puts into /etc/throwaway-cluster.
set -eu

files=/etc/throwaway-cluster
data=/var/lib/throwaway-cluster/data

if [ ! -s "$data/PG_VERSION" ]; then
  initdb --pgdata="$data" --username=postgres --pwfile="$files/password" \
    --encoding=UTF8 --no-locale --auth-local=trust --auth-host=scram-sha-256 --no-sync >/dev/null
fi
exec postgres -D "$data" -c config_file="$files/postgresql.conf"
