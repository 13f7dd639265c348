#!/bin/sh
# Runs the programs of examples-cpp, which $EXAMPLES holds, and talks to them.
passed=0 failed=0 server=
log=$(mktemp) || exit 1
trap '[ -z "$server" ] || kill "$server"; rm -f "$log"' EXIT

check() { # check SEEN EXPECTED WHAT
    if [ "$1" = "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$3: '$1', not '$2'"
    fi
}

start() { # start PROGRAM: sets $server and $url
    "$EXAMPLES/$1" ws://127.0.0.1:0 >"$log" &
    server=$!
    tries=0 url=
    while [ -z "$url" ] && [ $tries -lt 200 ]; do
        sleep 0.05
        url=$(sed -n 's/^listening on //p' "$log") tries=$((tries + 1))
    done
}

stop() { # stop NAME: a signal ends it in good order
    kill -TERM "$server"
    wait "$server"
    check $? 0 "$1 ends with"
    server=
}

start echo
check "$("$EXAMPLES/echo" "$url" 'hello there' 2>&1)" 'hello there' 'echo answers'
stop echo
check "$("$EXAMPLES/echo" "$url" 'nobody' >/dev/null 2>&1; echo $?)" 0 'a client that finds nobody ends with'
check "$("$EXAMPLES/echo" nonsense 2>&1 | cut -d: -f1)" LIBWS_ERR_ADDRESS 'a bad URL is'

start chat_rooms
check "$("$EXAMPLES/echo" "$url/kitchen?ann" hello 2>&1)" 'ann joined' 'the room says'
check "$("$EXAMPLES/echo" "$url/kitchen" hello 2>&1)" 'HTTP 400' 'without a name it is'
stop chat_rooms
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
