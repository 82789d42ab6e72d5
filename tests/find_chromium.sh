#!/bin/sh
# The console's tests drive a real Chromium. Where there is none and this is root on Debian, it is installed; else
# the tests that need it fail and say so.
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the console's tests; this takes about a minute, once."
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null && exit 0
fi
echo "Chromium was not found: the console's tests will fail. Install it, on Debian: apt-get install chromium" >&2
