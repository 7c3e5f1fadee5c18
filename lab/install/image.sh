#!/usr/bin/env bash
# Builds the container image where there is no Docker and no registry of images: with buildah, on a base made of a folder with
# Debian (debian.sh). `bash lab/install/image.sh FOLDER TAG [PLATFORM]`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=$1 tag=$2 platform=${3:-linux/amd64}
base=localhost/mqtt-sn-gateway-base
export BUILDAH_ISOLATION=chroot

if ! buildah manifest inspect "$base" >/dev/null 2>&1; then
  npm=$(dirname "$(dirname "$(realpath "$(command -v npm)")")")
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  cp -a "$folder/." "$root/"
  mkdir -p "$root/usr/local/lib/node_modules" "$root/usr/local/etc"
  cp -a "$npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  # packages come from where they come from on this machine
  printf 'registry=%s\n' "$(npm config get registry)" >"$root/usr/local/etc/npmrc"
  cafile=$(npm config get cafile)
  if [ -e "$cafile" ]; then
    cp "$cafile" "$root/etc/ssl/certs/npm.pem"
    echo 'cafile=/etc/ssl/certs/npm.pem' >>"$root/usr/local/etc/npmrc"
  fi
  printf 'prefix=/usr/local\n' >"$root/root/.npmrc"
  buildah commit --quiet "$container" "$base:amd64" >/dev/null
  # The last stage runs nothing, so that this will do to look at an image for another processor.
  buildah config --arch arm64 "$container"
  buildah commit --quiet "$container" "$base:arm64" >/dev/null
  buildah rm "$container" >/dev/null
  buildah manifest create "$base" >/dev/null
  for arch in amd64 arm64; do buildah manifest add "$base" "containers-storage:$base:$arch" >/dev/null; done
fi

version=$(node -p 'require("./package.json").version')
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
buildah build --quiet --layers --pull-never --network=host --format docker --platform "$platform" \
  --build-arg NODE_IMAGE="$base" --build-arg VERSION="$version" --build-arg REVISION="$revision" \
  -t "$tag" . 2>&1
