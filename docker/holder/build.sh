#!/bin/bash
# Builds the holder image: build.sh [TAG]. The base is $BASE if set, else as choose-base.sh finds it.
set -euo pipefail

tag="${1:-ordeal/holder:1}"
docker="$(cd "$(dirname "$0")/.." && pwd)"
base="${BASE:-$(bash "$docker/base/choose-base.sh")}"
bash "$docker/base/docker-build.sh" "$tag" "$base" "$docker/holder/Dockerfile" "$docker"
