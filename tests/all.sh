#!/usr/bin/env bash
# The cluster's tests, and beside them linters and unit tests in the time that the cluster leaves: first the
# former's output as it comes, then the latter's whole, then how all tests closed. The first failure ends both.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/beside.sh
logs=$(mktemp --directory)

closing() {
    echo
    grep --no-filename --extended-regexp '^(FAILED|ERROR) |^=+ .* in [0-9.]+s.* =+$' "$logs"/* || true
    rm --recursive "$logs"
}

cluster() {
    kept cluster tests/cluster.sh
}

checks() {
    kept checks lint_and_unit
}

# The nodes' processes come first.
lint_and_unit() {
    nice --adjustment=15 tests/lint.sh && nice --adjustment=15 tests/unit.sh
}

# Run a command, and keep a copy of what it prints. What a signal means is for the command to say.
kept() {
    trap : INT TERM HUP
    "${@:2}" 2>&1 | (trap '' INT TERM HUP && exec tee "$logs/$1")
}

trap closing EXIT
export FAIL_FAST=yes PYTEST_ADDOPTS=--exitfirst
# Both would make it.
python3 -m tests.kafka.kafka_home > /dev/null
beside cluster checks
