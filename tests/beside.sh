# For the scripts that source this.

# Run two functions at once, until both have ended: the first one's output as it comes, then the other's
# whole. Fails if one of them did. A signal interrupts both, so that their tests end what they started; a
# second one ends them.
beside() {
    local log first="" second="" told="" status=0
    log=$(mktemp)
    trap 'signal_both INT; trap "signal_both TERM" INT TERM HUP' INT TERM HUP
    set -m # each in a process group of its own, which a signal reaches as a whole
    "$1" < /dev/null &
    first=$!
    "$2" < /dev/null > "$log" 2>&1 &
    second=$!
    set +m
    if [ -n "$told" ]; then signal_both INT; fi # a signal came before both were there
    ended "$first" || status=$?
    ended "$second" || status=$?
    cat "$log"
    rm "$log"
    trap - INT TERM HUP
    return "$status"
}

# Of beside: first, second and told are its own.
signal_both() {
    local group
    told=yes
    for group in $first $second; do
        kill "-$1" -- "-$group" 2> /dev/null || true # it may have ended
    done
}

# Wait for a child, also when a signal comes meanwhile, and return its status.
ended() {
    local status=0
    wait "$1" || status=$?
    while kill -0 "$1" 2> /dev/null; do
        status=0
        wait "$1" || status=$?
    done
    return "$status"
}
