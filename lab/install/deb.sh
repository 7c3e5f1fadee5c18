#!/usr/bin/env bash
# Builds the package for Debian and its kin: `npm run deb`, or `npm run deb -- arm64 FOLDER` for another processor and another
# folder than dist/. Needs dpkg-deb, and a registry of npm packages.
#
# Node.js is not in it, but depended on: it is kept safe by who maintains the system, and the package is small.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

arch=${1:-$(dpkg --print-architecture)} folder=${2:-dist}
name=mqtt-sn-gateway
version=${DEB_VERSION:-$(node -p 'require("./package.json").version')-1}
case $arch in amd64) cpu=x64 ;; arm64) cpu=arm64 ;; armhf) cpu=arm ;; *) echo "no store is built for $arch" >&2 && exit 1 ;; esac

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
program=$root/usr/lib/$name doc=$root/usr/share/doc/$name
mkdir -p "$program" "$doc" "$root/usr/bin" "$root/etc/mqttsn" "$root/usr/lib/systemd/system" "$root/DEBIAN"

cp package.json package-lock.json "$program/"
(cd "$program" && npm ci --silent --omit=dev --ignore-scripts --os=linux --cpu="$cpu" --libc=glibc)
rm "$program/package-lock.json"
# what only compilers and debuggers read
find "$program/node_modules" -type f \( -name '*.map' -o -name '*.*ts' \) -delete
mkdir -p "$program/dist"
cp -r dist/src "$program/dist/"
find "$program/dist" -name '*.map' -delete
install -D -m 644 native/datagrams.c "$program/native/datagrams.c"
chmod 755 "$program/dist/src/cli.js"
ln -s "../lib/$name/dist/src/cli.js" "$root/usr/bin/mqttsn"

cp deploy/gateway.config.json docs/gateway.config.schema.json "$root/etc/mqttsn/"
mv "$root/etc/mqttsn/gateway.config.schema.json" "$program/"
sed -i 's|"./gateway.config.schema.json"|"/usr/lib/mqtt-sn-gateway/gateway.config.schema.json"|' "$root/etc/mqttsn/gateway.config.json"
chmod 640 "$root/etc/mqttsn/gateway.config.json"
cp deploy/$name.service deploy/mqtt-sn-forwarder.service "$root/usr/lib/systemd/system/"
cp README.md docs/*.md "$doc/"
gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
cat >"$doc/copyright" <<EOF
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: $name

Files: *
Copyright: the authors of $name
License: Apache-2.0
 On Debian systems, the full text is in /usr/share/common-licenses/Apache-2.0. Each package in
 /usr/lib/$name/node_modules has its own license beside it.
EOF

cat >"$root/DEBIAN/control" <<EOF
Package: $name
Version: $version
Architecture: $arch
Maintainer: the authors of $name <noreply@invalid>
Section: net
Priority: optional
Depends: nodejs (>= 20.19), adduser, procps
Recommends: mosquitto
Installed-Size: $(du -sk "$root" | cut -f1)
Description: MQTT-SN 1.2 gateway
 Sensors that are too small for TCP speak MQTT-SN over UDP. This gateway
 gives each of them a connection of its own to an MQTT broker, keeps what
 waits for those that sleep, and shows in a console what happens.
EOF
echo /etc/mqttsn/gateway.config.json >"$root/DEBIAN/conffiles"
install -m 755 deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm "$root/DEBIAN/"

mkdir -p "$folder"
dpkg-deb --root-owner-group -Zxz --build "$root" "$folder/${name}_${version}_$arch.deb"
