#!/bin/sh
# Run by the Dockerfiles: installs those of the named Debian packages that the base image does not have yet.
# With a registry's base that is all of them; on a base made by make-base.sh it is none, and no network is needed.
set -eu

missing=""
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
apt-get update -qq
# Names of packages hold no spaces: the list is split on purpose.
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
rm -rf /var/lib/apt/lists/*
