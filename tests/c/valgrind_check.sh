#!/bin/sh
# The examples under valgrind: no bad access and no leak, from the start to the signal that ends them.
. ./tally.sh

examples=$TARGET/examples-c
work=$TARGET/tests-c/valgrind
mkdir -p "$work"

have valgrind || { skip "valgrind is not installed"; tally_end; exit; }

valgrind='valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect,possible'

# starts EXAMPLE ARGUMENTS...: a server under valgrind; $url is where it listens, $pid its process.
starts() {
    name=$1
    shift
    # shellcheck disable=SC2086
    $valgrind "$examples/$name" "$@" > "$work/$name.out" 2> "$work/$name.err" &
    pid=$!
    for _ in $(seq 300); do
        url=$(sed -n 's/^listening on //p' "$work/$name.out")
        [ -n "$url" ] && return
        sleep 0.1
    done
    return 1
}

# ends SIGNAL: the server ends with 0, not with the 9 of valgrind's complaints.
ends() {
    kill -s "$1" "$pid"
    wait "$pid"
    status=$?
    check "$name on SIG$1" ended
}
ended() {
    cat "$work/$name.err"
    echo "status $status"
    [ "$status" -eq 0 ]
}

echoes() { # under valgrind too
    # shellcheck disable=SC2086
    $valgrind "$examples/echo_client" "$url" "grüße" > "$work/echo_client.out" && grep -qx "grüße" "$work/echo_client.out"
}

served() { # visited, and one visitor stays until the server ends
    "$TARGET/tests-c/visitor" "$url" "$1" || return
    "$TARGET/tests-c/visitor" "$url" stay > "$work/stay.out" &
    for _ in $(seq 300); do
        grep -q here "$work/stay.out" && return
        sleep 0.1
    done
    return 1
}

starts echo_server ws://127.0.0.1:0
check "echo_client gets its text back" echoes
ends INT
starts chat ws://127.0.0.1:0
check "the chat" served chat
ends TERM
starts time_push ws://127.0.0.1:0 20
check "the time" served time_push
ends INT
tally_end
