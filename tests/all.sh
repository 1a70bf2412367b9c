#!/usr/bin/env bash
# The cluster's tests, and in the time that they leave, linters and unit tests: first the former's output as it
# comes, then the latter's whole, then how all of them closed.
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

# The cluster comes first: its tests have one order, and most of their limits are the product's own.
checks() {
    kept lint nice --adjustment=10 tests/lint.sh
    kept unit nice --adjustment=10 tests/unit.sh
}

# Run a command, and keep a copy of what it prints. What a signal means is for the command to say.
kept() {
    trap : INT TERM HUP
    "${@:2}" 2>&1 | (trap '' INT TERM HUP && exec tee "$logs/$1")
}

trap closing EXIT
export PYTEST_ADDOPTS=--exitfirst
python3 -m tests.kafka.kafka_home > /dev/null # both would make it
beside cluster checks
