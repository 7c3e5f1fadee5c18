#!/usr/bin/env bash
# A Debian in a folder, with Node.js and systemd, made once and kept: what packages and images are tried in.
# `bash lab/install/debian.sh FOLDER`. Needs root, debootstrap, and a mirror of Debian, that of this machine where it has one.
set -euo pipefail

folder=$1
suite=trixie # the first release whose Node.js is new enough
[ ! -e "$folder/.complete" ] || exit 0

# either place may be missing
sources=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || true)
mirror=${DEBIAN_MIRROR:-$(sed -nE 's/^(URIs:|deb) *(\[[^]]*\] *)?(https?:[^ ]*\/debian)\/?( .*)?$/\3/p' <<<"$sources" | head -1)}
mkdir -p "$(dirname "$folder")"
# who comes while another one makes it waits for that one
exec 9>"$folder.lock"
flock 9
[ ! -e "$folder/.complete" ] || exit 0
rm -rf --one-file-system "$folder" "$folder.part"
packages=nodejs,ca-certificates,systemd,systemd-sysv,adduser,procps
debootstrap --variant=minbase --include="$packages" "$suite" "$folder.part" ${mirror:+"$mirror"} >"$folder.log" 2>&1 || {
  tail -5 "$folder.log" >&2
  rm -rf --one-file-system "$folder.part"
  exit 1
}
rm -rf "$folder.part"/var/cache/apt/archives/*.deb "$folder.part"/var/lib/apt/lists/*
touch "$folder.part/.complete"
mv "$folder.part" "$folder"
