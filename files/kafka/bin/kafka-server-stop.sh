#!/bin/sh
# Asks the brokers and controllers that run from this very tree to stop cleanly (SIGTERM).
# Others are left alone: those of another tree, and those in containers, which a host's /proc shows too.
set -eu

home=$(dirname "$(dirname "$(readlink -f "$0")")")
here=$(readlink /proc/self/ns/mnt)
stopped=0
for directory in /proc/[0-9]*; do
    [ "$(readlink "$directory/ns/mnt" 2>/dev/null)" = "$here" ] || continue
    # Arguments in cmdline are separated by NUL; class path and main class are two of them.
    arguments=$(tr '\0' '\n' 2>/dev/null <"$directory/cmdline") || continue
    if echo "$arguments" | grep -qxF kafka.Kafka && echo "$arguments" | grep -qF "$home/libs/*"; then
        if kill -s TERM "${directory#/proc/}"; then
            stopped=$((stopped + 1))
        fi
    fi
done

if [ "$stopped" -eq 0 ]; then
    echo "$(basename "$0"): no Kafka server that was started by hand from $home runs here (the service: systemctl stop kafka)" >&2
    exit 1
fi
