#!/usr/bin/env bash
# Reads evidence packs with tools that Mizan did not make: securesystemslib and in-toto-attestation (PyPI), @sigstore/verify
# (npm), sha256sum, and detect-secrets (PyPI). Each must accept a good pack and refuse a tampered one.
# Needs python3 with venv, and node with npm. usage: evidence.sh VENV, an environment that exists.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=$1
target=${CARGO_TARGET_DIR:-target}

command -v npm >/dev/null || { echo "npm is missing: install nodejs and npm." >&2; exit 3; }
"$venv/bin/python" -c 'import securesystemslib, in_toto_attestation, detect_secrets, cryptography' 2>/dev/null ||
  "$venv/bin/pip" install --quiet 'securesystemslib[crypto]==1.*' 'in-toto-attestation==0.9.*' 'detect-secrets==1.*'
node_modules=$target/interop-node
mkdir -p "$node_modules"
cp tests/interop/evidence/package.json tests/interop/evidence/package-lock.json tests/interop/evidence/verify.mjs "$node_modules/"
[ -d "$node_modules/node_modules/@sigstore/verify" ] || (cd "$node_modules" && npm ci --silent --no-audit --no-fund)

cargo build --locked --quiet -p mizan-gate --example packs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
keygen() { # Of OpenSSL's making, so that a foreign key is read too.
  openssl genpkey -algorithm ed25519 -out "$1" && chmod 600 "$1" && openssl pkey -in "$1" -pubout -out "$1.pub"
}
keygen "$work/ours.key"
keygen "$work/other.key"
"$target/debug/examples/packs" "$work/packs" "$work/ours.key"

by_python() { "$venv/bin/python" tests/interop/evidence/verify.py "$@"; }
by_node() { node "$node_modules/verify.mjs" "$@"; }

checked=0
check() { # EXPECTED(accepted|refused) WHAT PACK KEY
  for reader in by_python by_node; do
    if said=$($reader "$3" "$4" 2>&1); then got=accepted; else got=refused; fi
    if [ "$got" != "$1" ] || { [ "$got" = refused ] && [[ $said != refused:* ]]; }; then
      echo "$2: $reader said $got, expected $1: $said" >&2
      exit 1
    fi
    checked=$((checked + 1))
  done
}
tampered() { # A copy of the good pack.
  rm -rf "$work/tampered" && cp -r "$work/packs/go/pack" "$work/tampered"
}

for verdict in go no-go waiver; do
  check accepted "an untouched pack ($verdict)" "$work/packs/$verdict/pack" "$work/ours.key.pub"
done
check refused "another key" "$work/packs/go/pack" "$work/other.key.pub"
tampered && echo x >>"$work/tampered/closure.md"
check refused "a changed file" "$work/tampered" "$work/ours.key.pub"
tampered && echo x >"$work/tampered/notes.txt"
check refused "an extra file" "$work/tampered" "$work/ours.key.pub"
tampered && rm "$work/tampered/packets/1/upgrade.stdout"
check refused "a missing file" "$work/tampered" "$work/ours.key.pub"
tampered && sed -i 's/"payload": "e/"payload": "f/' "$work/tampered/attestations/gate.vsa.json"
check refused "a changed payload" "$work/tampered" "$work/ours.key.pub"
check refused "an empty gate" "$work/packs/empty/pack" "$work/ours.key.pub"

(cd "$work/packs/go/pack" && sha256sum --check --quiet --strict MANIFEST.sha256)
checked=$((checked + 1))

# Every plugin looks; only the lines of the forms that hold nothing but a digest or a signature are left out.
digests='"(sha256|git_sha|signed_by|manifest_sha256|keyid|payload|sig)": '
detect=$(realpath "$venv/bin/detect-secrets")
(cd "$work/packs" && "$detect" scan --all-files --no-verify --exclude-lines "$digests" . 2>/dev/null) >"$work/found.json"
"$venv/bin/python" - "$work/found.json" <<'EOF'
import json, sys
found = {name: hits for name, hits in json.load(open(sys.argv[1]))["results"].items() if hits}
if found:
    sys.exit("detect-secrets found: " + json.dumps(found, indent=1))
EOF
checked=$((checked + 1))
echo "Evidence packs: $checked checks with securesystemslib, in-toto-attestation, @sigstore/verify, sha256sum and detect-secrets."
