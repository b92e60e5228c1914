#!/bin/bash
# Builds the broker image: build.sh VERSION [TAG]. The base is $BASE if set, else as choose-base.sh finds it.
# Jars are kept in $ORDEAL_CACHE (default ~/.cache/ordeal) for the next build.
set -euo pipefail

version="${1:?usage: build.sh VERSION [TAG]}"
tag="${2:-ordeal/kafka:$version}"
docker="$(cd "$(dirname "$0")/.." && pwd)"
cache="${ORDEAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ordeal}"
mkdir -p "$cache"

exec 9>"$cache/build.lock"
flock -w 900 9
base="${BASE:-$(bash "$docker/base/choose-base.sh" 9>&-)}"
libs="$cache/kafka-$version"
bash "$docker/broker/fetch-jars.sh" "$version" "$libs" 9>&-

context="$(mktemp -d)"
trap 'rm -rf "$context"' EXIT
mkdir -p "$context/broker" "$context/base"
cp "$docker/base/install-missing.sh" "$context/base/"
cp -r "$docker/broker/." "$context/broker/"
# Hard links where the file system allows them: the jars are only read.
if ! cp -rl "$libs" "$context/libs" 2>/dev/null; then
  # It made the directory before it failed, and cp would copy into one that exists.
  rm -rf "$context/libs"
  cp -r "$libs" "$context/libs"
fi
bash "$docker/base/docker-build.sh" "$tag" "$base" "$context/broker/Dockerfile" "$context" \
  --build-arg "KAFKA_VERSION=$version" 9>&-
