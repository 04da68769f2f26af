#!/usr/bin/env bash
# Prints the path of a Python that Modiste runs on: $PYTHON if set, else the first on PATH that is 3.11 or newer.
set -euo pipefail

good() {
  command -v "$1" > /dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null
}

for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
  if good "$candidate"; then
    if ! "$candidate" -c 'import venv, ensurepip' 2> /dev/null; then
      echo "Modiste: $candidate cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2
      exit 1
    fi
    "$candidate" -c 'import sys; print(sys.executable)'
    exit 0
  fi
done

if [ -n "${PYTHON:-}" ]; then
  echo "Modiste needs Python 3.11 or newer; PYTHON=$PYTHON does not run, or is older." >&2
else
  echo "Modiste needs Python 3.11 or newer; found $(python3 --version 2> /dev/null || echo none)." >&2
fi
echo "Install one, or name it: make setup PYTHON=/path/to/python3.12" >&2
exit 1
