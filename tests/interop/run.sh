#!/usr/bin/env bash
# Checks Mizan against other implementations of the same standards: the public `standardwebhooks` library signs, a
# running Mizan says yes or no; evidence packs are read by verifiers of others (evidence.sh); and a service that is not
# Mizan is gated (fastapi.sh). Needs python3 with venv, node with npm, PostgreSQL, Redis and the package registries; uses
# a SQLite file and servers of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v python3 >/dev/null || { echo "python3 is missing: install python3 and python3-venv." >&2; exit 3; }
target=${CARGO_TARGET_DIR:-target}
venv=$target/venv-interop
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv" || { echo "python3 cannot make an environment: install python3-venv." >&2; exit 3; }
fi
"$venv/bin/python" -c 'import standardwebhooks' 2>/dev/null || "$venv/bin/pip" install --quiet standardwebhooks

cargo build --locked --quiet -p mizan
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

# The key of this throwaway connection; whsec_ and base64, as the standard says.
secret="whsec_$(head -c 32 /dev/urandom | base64)"
password=$(head -c 18 /dev/urandom | base64)
port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=http://127.0.0.1:$port

env -i PATH="$PATH" ENV=test DATABASE_URL="sqlite://$work/mizan.db" PORT="$port" MIZAN_ADMIN_EMAIL=owner@example.com \
  MIZAN_ADMIN_PASSWORD="$password" WEBHOOK_SECRET_INTEROP_SW="$secret" \
  "$target/debug/mizan" serve >"$work/log" 2>&1 &
server=$!

"$venv/bin/python" tests/interop/set_up.py "$base" "$password" interop-sw || { cat "$work/log" >&2; exit 1; }
"$venv/bin/python" tests/interop/standard_webhooks.py "$base" "$secret" interop-sw

./tests/interop/evidence.sh "$venv"
./tests/interop/fastapi.sh
