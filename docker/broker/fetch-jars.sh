#!/bin/bash
# Puts the jars of one Kafka version into a directory: fetch-jars.sh VERSION DIRECTORY
# They come from Maven Central through mvn; a directory that is already complete is left as it is.
set -euo pipefail

version="${1:?usage: fetch-jars.sh VERSION DIRECTORY}"
target="${2:?usage: fetch-jars.sh VERSION DIRECTORY}"
here="$(cd "$(dirname "$0")" && pwd)"

if [ -e "$target/.complete" ]; then
  exit 0
fi
if ! command -v mvn >/dev/null 2>&1; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "fetch-jars: mvn is missing; install it (apt-get install -y maven)" >&2
    exit 1
  fi
  echo "fetch-jars: installing maven" >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends maven; } >&2
fi
case "$version" in
  [0-3].*) profile=reload4j ;;
  *) profile=log4j2 ;;
esac

# Copied beside the target and renamed at the end: an interrupted download never looks complete.
partial="$target.partial.$$"
trap 'rm -rf "$partial" "$partial.log"' EXIT
rm -rf "$partial"
mkdir -p "$partial"
log="$partial.log"
if ! mvn -B -q -f "$here/pom.xml" -P"$profile" -Dkafka.version="$version" \
  -DincludeScope=runtime -DoutputDirectory="$partial" dependency:copy-dependencies >"$log" 2>&1; then
  echo "fetch-jars: mvn could not fetch the jars of Kafka $version; the end of its output:" >&2
  tail -n 12 "$log" >&2
  exit 1
fi
ls "$partial"/kafka_2.13-"$version".jar >/dev/null
touch "$partial/.complete"
rm -rf "$target"
mv "$partial" "$target"
