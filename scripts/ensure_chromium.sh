#!/usr/bin/env bash
# Makes sure that the browser tests have a Chromium: Debian's own, installed where missing if we are root.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" > /dev/null; then
    exit 0
  fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing Debian's chromium for the browser tests ..."
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
  exit 0
fi

echo "The browser tests need Chromium, and this user may not install it." >&2
echo "On Debian and Ubuntu: sudo apt-get install chromium. To leave them out: make check test" >&2
exit 1
