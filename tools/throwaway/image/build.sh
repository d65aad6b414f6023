#!/usr/bin/env bash
# Makes the Docker image that the tests and the quickstart run PostgreSQL and pg_cron in:
#
#   bash tools/throwaway/image/build.sh [--no-debootstrap] [--suite SUITE]
#
# Its base is a Debian of the local engine or, failing that, of the engine's registry; where
# neither has it, one made by debootstrap (as root; kept under ~/.cache/pcache-migrate), unless
# --no-debootstrap. Does nothing when the image is there and its sources have not changed.
# SUITE is the Debian release (trixie); the image is pcache-migrate/postgres-pg_cron:SUITE.
set -euo pipefail
shopt -s inherit_errexit

suite=trixie
may_debootstrap=yes
while [ $# -gt 0 ]; do
  case $1 in
    --no-debootstrap) may_debootstrap=no ;;
    --suite) suite=${2:?--suite needs the name of a Debian release} && shift ;;
    *) echo "unknown argument: $1" >&2 && exit 2 ;;
  esac
  shift
done

sources=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
image=pcache-migrate/postgres-pg_cron:$suite
pulled_base=debian:$suite-slim
made_base=pcache-migrate/debian:$suite
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pcache-migrate
content_label=pcache-migrate.content

main() {
  local content
  content=$(content_hash)
  if [ "$(label_of "$image")" = "$content" ]; then
    echo "$image is up to date"
    return
  fi
  local base
  base=$(provide_base)
  echo "making $image from $base"
  docker build --quiet --build-arg "BASE=$base" --label "$content_label=$content" \
    --tag "$image" "$sources" >/dev/null
}

content_hash() {
  (cd "$sources" && echo "$suite" | cat - Dockerfile ./*.sh | sha256sum | cut -d ' ' -f 1)
}

label_of() {
  docker image inspect --format "{{index .Config.Labels \"$content_label\"}}" "$1" 2>/dev/null ||
    true
}

has_image() {
  docker image inspect "$1" >/dev/null 2>&1
}

provide_base() {
  local base
  for base in "$pulled_base" "$made_base"; do
    if has_image "$base"; then
      echo "$base"
      return
    fi
  done
  if docker pull --quiet "$pulled_base" >/dev/null; then
    echo "$pulled_base"
    return
  fi
  if [ "$may_debootstrap" = no ]; then
    echo "$pulled_base can't be pulled" >&2
    return 1
  fi
  make_base
  echo "$made_base"
}

make_base() {
  local tarball=$cache/debian-$suite.tar
  if [ ! -s "$tarball" ]; then
    echo "$pulled_base can't be pulled: making $tarball by debootstrap" >&2
    bootstrap "$tarball"
  fi
  docker import "$tarball" "$made_base" >/dev/null
}

bootstrap() {
  local tarball=$1 work
  work=$(mktemp -d)
  # shellcheck disable=SC2064  # the directory of now, whatever $work is then
  trap "rm -rf '$work'" EXIT
  # An empty mirror argument is debootstrap's default.
  debootstrap --variant=minbase --force-check-gpg "$suite" "$work/root" "$(debian_mirror)" \
    >"$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    return 1
  }
  mkdir -p "$cache"
  tar --create --file "$work/base.tar" --directory "$work/root" \
    --exclude './var/cache/apt/archives/*.deb' --exclude './var/lib/apt/lists/*' .
  # Moved at once: a broken run leaves no half tarball behind.
  mv "$work/base.tar" "$tarball.$$"
  mv "$tarball.$$" "$tarball"
}

# The mirror that this machine's own apt takes Debian from, if it takes Debian.
debian_mirror() {
  # shellcheck disable=SC2016  # the placeholders are apt's
  apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian/Debian" && !found++ { print $2 }'
}

main
