#!/usr/bin/env bash
# Writes requirements.lock: what pip resolves today for the core and the train, hub, dev and bench extras, from a clean venv.
# Usage: scripts/lock.sh PYTHON   (PYTHON 3.11 or newer; the lock is best made with the oldest that we support)
set -euo pipefail
cd "$(dirname "$0")/.."

python=${1:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$python" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --upgrade pip
"$scratch/venv/bin/pip" install --quiet '.[train,hub,dev,bench]'

{
  echo "# Exact versions for: pip install -c requirements.lock '.[train,hub,dev,bench]'"
  echo "# Written by 'make lock' with Python $("$python" -c 'import platform; print(platform.python_version())')."
  # A local suffix (torch==2.13.0+cpu) names one build of a release; without it, pip may take any build of that release.
  "$scratch/venv/bin/pip" freeze --exclude modiste --exclude pip --exclude setuptools --exclude wheel \
    | sed -E '/^-e /d; s/\+[A-Za-z0-9.]+$//'
} > "$scratch/requirements.lock"

if grep -nE ' @ |://' "$scratch/requirements.lock"; then
  echo "lock: the lines above are bound to one machine or host; the lock was left as it was" >&2
  exit 1
fi
mv "$scratch/requirements.lock" requirements.lock
echo "requirements.lock: $(grep -c == requirements.lock) packages"
