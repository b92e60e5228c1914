#!/bin/bash
# Makes the base image of docker/broker and docker/holder on a machine that has no registry, only a Debian mirror:
# make-base.sh [TAG]. Needs root and debootstrap. An image of that tag that exists already is left as it is.
# The packages of both images are put in here, so that their Dockerfiles find nothing left to install.
set -euo pipefail

tag="${1:-ordeal/base:bookworm}"
packages=openjdk-17-jre-headless,iproute2,iptables,procps
suite=bookworm

if docker image inspect "$tag" >/dev/null 2>&1; then
  exit 0
fi
[ "$(id -u)" = 0 ] || { echo "make-base: debootstrap needs root" >&2; exit 1; }
if ! command -v debootstrap >/dev/null 2>&1; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "make-base: debootstrap is missing; install it" >&2
    exit 1
  fi
  echo "make-base: installing debootstrap" >&2
  { apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap; } >&2
fi

# Two builders at once would do the same minute of work twice.
exec 9>"/tmp/ordeal-make-base.lock"
flock -w 600 9
if docker image inspect "$tag" >/dev/null 2>&1; then
  exit 0
fi

root="$(mktemp -d "${TMPDIR:-/var/tmp}/ordeal-base.XXXXXX")"
log="$root.log"
# debootstrap may be interrupted while proc is mounted inside; removing through the mount would touch the host.
trap 'umount -l "$root/proc" "$root/sys" 2>/dev/null || true; rm -rf --one-file-system "$root" "$log"' EXIT
if ! debootstrap --variant=minbase --include="$packages" "$suite" "$root" >"$log" 2>&1 9>&-; then
  echo "make-base: debootstrap failed; the end of its output:" >&2
  tail -n 20 "$log" >&2
  exit 1
fi
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* \
  "$root"/usr/share/man/* "$root"/usr/share/locale/*
tar -C "$root" --one-file-system --numeric-owner -c . |
  docker import --change 'CMD ["/bin/bash"]' --message "debootstrap $suite, $packages" - "$tag" >/dev/null
