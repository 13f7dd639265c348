#!/bin/sh
# The examples under valgrind: no bad access and no leak, from the start to the signal that ends them.
. ./tally.sh

examples=$TARGET/examples-c
work=$TARGET/tests-c/valgrind
mkdir -p "$work"

have valgrind || { skip "valgrind is not installed"; tally_end; exit; }

valgrind='valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect,possible'

# runs EXAMPLE ARGUMENTS...: under valgrind in the background; $pid is its process.
runs() {
    name=$1
    shift
    # Not by the background job, which may come to it after somebody has read the file of an earlier run.
    : > "$work/$name.out"
    # shellcheck disable=SC2086
    $valgrind "$examples/$name" "$@" > "$work/$name.out" 2> "$work/$name.err" &
    pid=$!
}

# prints NAME PATTERN: waits until the output of NAME has such a line.
prints() {
    for _ in $(seq 300); do
        grep -q "$2" "$work/$1.out" && return
        sleep 0.1
    done
    return 1
}

# starts EXAMPLE ARGUMENTS...: a server; $url is where it listens.
starts() {
    runs "$@"
    prints "$name" '^listening on '
    url=$(sed -n 's/^listening on //p' "$work/$name.out")
}

# ends NAME PROCESS SIGNAL: it ends with 0, not with the 9 of valgrind's complaints.
ends() {
    name=$1
    kill -s "$3" "$2"
    wait "$2"
    status=$?
    check "$name on SIG$3" ended
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
    : > "$work/stay.out"
    "$TARGET/tests-c/visitor" "$url" stay > "$work/stay.out" 2>&1 &
    prints stay here
}

starts echo_server ws://127.0.0.1:0
server=$pid
check "echo_client gets its text back" echoes
runs reconnect "$url" 50
check "reconnect hears its echo" prints reconnect '^echo: '
ends echo_server "$server" INT
check "reconnect sees the server go" prints reconnect '^lost: '
ends reconnect "$pid" INT
starts chat ws://127.0.0.1:0
check "the chat" served chat
ends chat "$pid" TERM
starts time_push ws://127.0.0.1:0 20
check "the time" served time_push
ends time_push "$pid" INT
tally_end
