#!/bin/sh
# The browser tests drive the Chromium of the system. Find it; on Debian and its kin install it when that is
# permitted without asking for a password; otherwise say what to install.
set -eu

found() {
    [ -n "${RT_NOTEBOOK_CHROMIUM:-}" ] && [ -x "$RT_NOTEBOOK_CHROMIUM" ] && return 0
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

found && exit 0

as_root=""
if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then
        as_root="env"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n env"
    fi
fi

if [ -n "$as_root" ]; then
    echo "== Installing chromium for the browser tests"
    $as_root DEBIAN_FRONTEND=noninteractive apt-get update -qq || true
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null || true
    found && exit 0
fi

echo "Chromium is not there, and the browser tests need it." >&2
echo "Install it (on Debian: sudo apt-get install chromium), name it in RT_NOTEBOOK_CHROMIUM, or leave the browser out: make test-fast" >&2
exit 1
