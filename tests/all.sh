#!/usr/bin/env bash
# Linters and unit tests, then the cluster's tests on both cores: beside each other they would run into each
# other's time limits. At the end, how all of them closed.
set -euo pipefail
cd "$(dirname "$0")/.."
logs=$(mktemp --directory)

closing() {
    echo
    grep --no-filename --extended-regexp '^(FAILED|ERROR) |^=+ .* in [0-9.]+s.* =+$' "$logs"/* || true
    rm --recursive "$logs"
}

# Run a command, and keep a copy of what it prints. What a signal means is for the command to say.
kept() {
    trap : INT TERM HUP
    "${@:2}" 2>&1 | (trap '' INT TERM HUP && exec tee "$logs/$1")
}

trap closing EXIT
export PYTEST_ADDOPTS=--exitfirst
kept lint tests/lint.sh
kept unit tests/unit.sh
kept cluster tests/cluster.sh
