#!/bin/sh
# netavark keeps its chains, emptied, when its last network is gone. They are removed here, jumps first,
# but only where no container of anybody else's still uses a network.
set -eu
[ -z "$(podman ps --quiet)" ] || exit 0
for table in nat filter; do
    # -S prints rules as the arguments that made them; a rule that jumps to a NETAVARK chain goes first.
    iptables -t "$table" -S | grep -e '-j NETAVARK' | grep '^-A' | sed 's/^-A/-D/' | while read -r rule; do
        echo "$rule" | xargs iptables -t "$table"
    done
    iptables -t "$table" -S | sed -n 's/^-N \(NETAVARK.*\)/\1/p' | while read -r chain; do
        iptables -t "$table" -F "$chain"
        iptables -t "$table" -X "$chain"
        echo "removed $chain"
    done
done
