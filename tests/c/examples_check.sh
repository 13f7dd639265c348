#!/bin/sh
# What the examples say and the statuses that they end with. valgrind_check.sh looks at their memory.
. ./tally.sh

examples=$TARGET/examples-c
visitor=$TARGET/tests-c/visitor
work=$TARGET/tests-c/examples
mkdir -p "$work"

# ends_with STATUS COMMAND...: it ends with this status; its output is in $work/out, what it complains of in $work/err.
ends_with() {
    expected=$1
    shift
    "$@" > "$work/out" 2> "$work/err"
    status=$?
    cat "$work/out" "$work/err"
    echo "status $status, not $expected"
    [ "$status" -eq "$expected" ]
}

# starts EXAMPLE ARGUMENTS...: a server in the background; $pid is its process, $url is where it listens.
starts() {
    : > "$work/$1.out" # nothing of an earlier run
    "$examples/$1" ws://127.0.0.1:0 $2 > "$work/$1.out" 2> "$work/$1.err" &
    pid=$! url=
    for _ in $(seq 200); do
        url=$(sed -n 's/^listening on //p' "$work/$1.out")
        [ -n "$url" ] && return
        sleep 0.05
    done
}

# stops NAME SIGNAL: the server ends with 0.
stops() {
    kill -s "$2" "$pid"
    wait "$pid"
    status=$?
    check "$1 on SIG$2 ends with 0, not with $status" [ "$status" -eq 0 ]
}

says() { # says FILE LINE: this is all that it says
    printf '%s\n' "$2" | diff - "$work/$1"
}

echo_client=$examples/echo_client
check "echo_client without arguments shows its usage" ends_with 2 "$echo_client"
check "on stderr" grep -q '^usage: ' "$work/err"
check "echo_client with a bad URL" ends_with 1 "$echo_client" http://127.0.0.1/ x
check "the URL is named" test -s "$work/err"

starts echo_server
check "echo_client gets its text back" ends_with 0 "$echo_client" "$url" "grüße"
check "and prints nothing else" says out "grüße"
check "an empty text comes back too" ends_with 0 "$echo_client" "$url" ""
check "echo_server with a port that is taken" ends_with 1 "$examples/echo_server" "$url"
check "the port is named" grep -q "${url##*:}" "$work/err"
stops echo_server INT
check "echo_client with nobody there" ends_with 1 "$echo_client" "$url" x
check "it says why" grep -q '^closed with 1006: ' "$work/err"

starts chat
check "the chat" "$visitor" "$url" chat
stops chat INT
starts time_push 20
check "the time" "$visitor" "$url" time_push
stops time_push TERM
check "the servers complain of nothing" sh -c "cat '$work'/*_*.err '$work/chat.err' | diff /dev/null -"
tally_end
