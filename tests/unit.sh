#!/usr/bin/env bash
# Tests that need no cluster: pure functions, a browser, a Spark session on this machine, a broker on loopback.
# In two streams that take about as long: those with a broker, which wait for processes and clocks more than
# they compute, beside all others.
# With `long` the long ones alone.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/beside.sh
KAFKA_HOME=$(python3 -m tests.kafka.kafka_home)
export KAFKA_HOME PYTHONPATH=app/src

if [ "${1:-}" = long ]; then
    exec pytest -m long tests/unit tests/doubles tests/bench tests/report tests/spark tests/kafka tests/live
fi

parts() {
    pytest tests/unit tests/doubles tests/bench tests/report tests/spark
}

with_a_broker() {
    pytest tests/kafka tests/live
}

beside parts with_a_broker
