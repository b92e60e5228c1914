#!/bin/bash
# Prints the base image to build on: Debian's own where it is present or can be pulled soon, else one made here.
set -euo pipefail

registry=debian:bookworm-slim
local_tag=ordeal/base:bookworm
here="$(cd "$(dirname "$0")" && pwd)"

if docker image inspect "$local_tag" >/dev/null 2>&1; then
  echo "$local_tag"
elif docker image inspect "$registry" >/dev/null 2>&1; then
  echo "$registry"
elif timeout "${ORDEAL_PULL_S:-20}" docker pull -q "$registry" >/dev/null 2>&1; then
  echo "$registry"
else
  bash "$here/make-base.sh" "$local_tag" >&2
  echo "$local_tag"
fi
