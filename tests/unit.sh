#!/usr/bin/env bash
# Tests that need no cluster: pure functions, a Spark session on this machine, a broker on loopback, a browser.
set -euo pipefail
cd "$(dirname "$0")/.."
KAFKA_HOME=$(python3 tests/kafka/kafka_home.py)
export KAFKA_HOME PYTHONPATH=app/src
pytest tests/unit tests/spark tests/kafka tests/bench tests/report
