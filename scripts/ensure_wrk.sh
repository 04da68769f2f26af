#!/usr/bin/env bash
# Makes sure that the load test has wrk, which asks: Debian's own, installed where missing if we are root.
set -euo pipefail

if command -v wrk > /dev/null; then
  exit 0
fi

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing Debian's wrk for the load test ..."
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk
  exit 0
fi

echo "The load test needs wrk, and this user may not install it." >&2
echo "On Debian and Ubuntu: sudo apt-get install wrk. To leave it out: make check test" >&2
exit 1
