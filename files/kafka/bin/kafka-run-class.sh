#!/bin/sh
# Starts a main class with this tree's jars on the class path.
# Environment: JAVA_HOME, KAFKA_HEAP_OPTS, KAFKA_JVM_PERFORMANCE_OPTS, KAFKA_LOG4J_OPTS, KAFKA_OPTS, CLASSPATH (goes first).
set -eu

if [ "$#" -eq 0 ]; then
    echo "usage: $(basename "$0") MAIN_CLASS [ARGUMENT...]" >&2
    exit 2
fi

home=$(dirname "$(dirname "$(readlink -f "$0")")")
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
if ! command -v "$java" >/dev/null; then
    echo "$(basename "$0"): $java not found: install a Java runtime >= 17 or set JAVA_HOME" >&2
    exit 127
fi

if [ -z "${KAFKA_LOG4J_OPTS:-}" ]; then
    KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=$home/config/tools-log4j2.yaml"
fi

# The *_OPTS hold several options each: split at blanks on purpose. The pattern in -cp is Java's own.
# shellcheck disable=SC2086
exec "$java" ${KAFKA_HEAP_OPTS:--Xmx512m} ${KAFKA_JVM_PERFORMANCE_OPTS:-} $KAFKA_LOG4J_OPTS ${KAFKA_OPTS:-} \
    -XX:-UsePerfData -cp "${CLASSPATH:+$CLASSPATH:}$home/libs/*" "$@"
