#!/usr/bin/env bash
# Brings the published schemas of Kubernetes and of compose files, with what checks a document against them, into a folder, where
# they are kept: `bash lab/install/schemas.sh FOLDER`. Needs python3 with pip, and go, as it is Go modules that carry the latter.
set -euo pipefail

folder=$1
[ ! -e "$folder/.complete" ] || exit 0
rm -rf "$folder"
mkdir -p "$folder"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$folder/python" \
  kubernetes-validate==1.37.0
module=$(cd "$folder" && go mod download -json github.com/compose-spec/compose-go/v2@v2.16.2)
cp "$(node -p 'JSON.parse(process.argv[1]).Dir' "$module")/schema/compose-spec.json" "$folder/"
touch "$folder/.complete"
