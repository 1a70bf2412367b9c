#!/bin/sh
# Runs a broker or controller in the foreground: kafka-server-start.sh FILE.properties [--override KEY=VALUE]
# The service kafka.service does not use this; it is for a broker started by hand.
set -eu

if [ "$#" -eq 0 ]; then
    echo "usage: $(basename "$0") FILE.properties [--override KEY=VALUE]..." >&2
    exit 2
fi

home=$(dirname "$(dirname "$(readlink -f "$0")")")
: "${KAFKA_HEAP_OPTS:=-Xms1g -Xmx1g}"
: "${KAFKA_LOG4J_OPTS:=-Dlog4j2.configurationFile=$home/config/log4j2.yaml}"
export KAFKA_HEAP_OPTS KAFKA_LOG4J_OPTS
exec "$home/bin/kafka-run-class.sh" kafka.Kafka "$@"
