#!/usr/bin/env bash
# Makes sure that the programs which the tests start are there: PostgreSQL and Redis, each a throwaway of its own,
# and Node, whose verifier reads evidence packs.
# As root it installs what is missing; otherwise it says what to install. It starts nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()

# The server programs of Debian's packages are not on the PATH.
has_postgres() {
  command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
}

has_postgres || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ -d e2e ]; then
  command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
fi

if [ ${#missing[@]} -eq 0 ]; then
  echo "PostgreSQL, Redis and Node are here."
  exit 0
fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need these packages, which are missing: ${missing[*]}." >&2
  echo "Install them (Debian, Ubuntu: sudo apt-get install ${missing[*]}), then run this again." >&2
  exit 3
fi

echo "Installing ${missing[*]} …"
export DEBIAN_FRONTEND=noninteractive
# Keeps the packages from starting servers of their own: the tests start what they need.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
echo "Installed ${missing[*]}."
