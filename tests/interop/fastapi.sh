#!/usr/bin/env bash
# Gates a service of FastAPI, alembic and arq (fastapi/) with gates/examples/fastapi-alembic-arq.yaml: GO, and NO-GO where
# something is broken. Then it searches the evidence for every secret of the runs, in ten encodings.
# Needs python3 with venv, PostgreSQL and Redis as installed programs, and the package registry.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$(realpath "${CARGO_TARGET_DIR:-target}")
venv=$target/venv-fastapi
wanted=tests/interop/fastapi/requirements.txt

command -v python3 >/dev/null || { echo "python3 is missing: install python3 and python3-venv." >&2; exit 3; }
if ! cmp -s "$wanted" "$venv/installed.txt"; then
  python3 -m venv "$venv" || { echo "python3 cannot make an environment: install python3-venv." >&2; exit 3; }
  "$venv/bin/pip" install --quiet --requirement "$wanted"
  cp "$wanted" "$venv/installed.txt"
fi
cargo build --locked --quiet -p mizan
cargo build --locked --quiet -p mizan-throwaway --example servers

work=$(mktemp -d)
trap 'exec 9>&- || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
cp -r tests/interop/fastapi "$work/service"

# Both servers end when descriptor 9 is closed, and so with this script.
mkfifo "$work/stay"
"$target/debug/examples/servers" <"$work/stay" >"$work/servers" &
exec 9>"$work/stay"
for _ in $(seq 300); do [ "$(wc -l <"$work/servers")" = 2 ] && break; sleep 0.1; done
. "$work/servers" || { echo "PostgreSQL and Redis cannot be started." >&2; exit 3; }
: "${DATABASE_URL:?no PostgreSQL}" "${REDIS_URL:?no Redis}"

random() { head -c 24 /dev/urandom | base64 | tr -d '\n'; }
export API_KEY JWT_SECRET WEBHOOK_SECRET
API_KEY="mz<live>&$(random)" JWT_SECRET=$(random) WEBHOOK_SECRET="whsec_$(random)"
"$target/debug/mizan" gate keygen --out "$work/gate.key" >/dev/null

checked=0
gate() { # EXPECTED-EXIT NAME DATABASE_URL REDIS_URL [OPTIONS]: runs the gate and checks what it leaves.
  local expected=$1 name=$2 database=$3 redis=$4 code=0
  shift 4
  mkdir "$work/$name"
  PATH="$venv/bin:$PATH" DATABASE_URL=$database REDIS_URL=$redis "$target/debug/mizan" gate run \
    gates/examples/fastapi-alembic-arq.yaml --var app_dir="$work/service" --key "$work/gate.key" --out "$work/$name/out" "$@" \
    >"$work/$name/stdout" 2>"$work/$name/stderr" || code=$?
  if [ "$code" != "$expected" ]; then
    echo "$name: exit code $code, expected $expected" >&2
    cat "$work/$name/stdout" "$work/$name/stderr" >&2
    exit 1
  fi
  "$target/debug/mizan" gate verify "$work/$name"/out/* --key "$work/gate.key.pub" >/dev/null
  DATABASE_URL=$database REDIS_URL=$redis MIZAN_GATE_KEY=$(cat "$work/gate.key") \
    "$venv/bin/python" tests/interop/no_secrets.py "$work/$name" DATABASE_URL REDIS_URL API_KEY JWT_SECRET WEBHOOK_SECRET MIZAN_GATE_KEY
  checked=$((checked + 3))
}
says() { # NAME TEXT
  grep -qF "$2" "$work/$1/stdout" || { echo "$1 does not say: $2" >&2; cat "$work/$1/stdout" >&2; exit 1; }
  checked=$((checked + 1))
}

gate 0 go "$DATABASE_URL" "$REDIS_URL"
says go "fastapi-release: GO"

gate 1 redis-refuses "$DATABASE_URL" "${REDIS_URL%@*}@127.0.0.1:1/0" --only migrations,ready
says redis-refuses "packet ready is FAIL"

sed -i 's/UniqueConstraint("provider", "provider_event_id", "finding_type")/UniqueConstraint("provider")/' \
  "$work/service/migrations/versions/0002_findings.py"
(cd "$work/service" && PATH="$venv/bin:$PATH" ENV=test DATABASE_URL=$DATABASE_URL REDIS_URL=$REDIS_URL alembic downgrade base 2>/dev/null)
gate 1 no-constraint "$DATABASE_URL" "$REDIS_URL" --only migrations
says no-constraint "packet migrations is FAIL"

echo "A service of FastAPI, alembic and arq: $checked checks of its gate, one GO and two NO-GO."
