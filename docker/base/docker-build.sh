#!/bin/bash
# One way to call docker build for both images: docker-build.sh TAG BASE DOCKERFILE CONTEXT [more arguments].
set -euo pipefail

tag="$1" base="$2" dockerfile="$3" context="$4"
shift 4
# BuildKit needs its plug-in on the client's side; the builder inside the engine serves where it is missing.
docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
if ! docker build --build-arg "BASE=$base" -t "$tag" -f "$dockerfile" "$@" "$context" >"$log" 2>&1; then
  echo "docker-build: building $tag on $base failed; the end of its output:" >&2
  tail -n 30 "$log" >&2
  exit 1
fi
