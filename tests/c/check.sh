#!/bin/sh
# Runs the test programs named in $TESTS, then the scripts beside this one; sums up their "N passed, M failed, K skipped".
passed=0 failed=0 skipped=0
cd "$(dirname "$0")" || exit 1

add() { # add NAME COMMAND...
    name=$1
    shift
    output=$("$@" 2>&1)
    status=$?
    printf '%s\n' "$output"
    counts=$(printf '%s\n' "$output" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' | tail -1)
    set -- ${counts:-0 1 0}
    if [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; then
        echo "$name: ended with status $status"
        set -- "$1" 1 "$3"
    fi
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

for test in $TESTS; do
    echo "-- $test"
    add "$test" "$TARGET/tests-c/$test"
done
for script in ./*_check.sh; do
    [ -e "$script" ] || continue
    echo "-- $script"
    add "$script" sh "$script"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
