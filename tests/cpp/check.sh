#!/bin/sh
# Runs the programs of $BIN/VARIANT named in $TESTS, and the examples; sums up their "N passed, M failed, K skipped".
#   gcc17    C++17 with g++, by itself and under valgrind
#   gcc20    C++20 with the sanitizers of addresses, leaks and undefined behaviour
#   clang17  C++17 with clang++, without RTTI
#   clang20  C++20 with clang++
passed=0 failed=0 skipped=0
cd "$(dirname "$0")" || exit 1

add() { # add NAME COMMAND...
    name=$1
    shift
    echo "-- $name"
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

skip() { # skip WHY
    echo "skipped: $1"
    skipped=$((skipped + 1))
}

for test in $TESTS; do
    add "gcc17 $test" "$BIN/gcc17/$test"
    add "gcc20 $test, sanitized" "$BIN/gcc20/$test" no-leaks
done
if command -v clang++ >/dev/null; then
    for test in $TESTS; do
        add "clang17 $test" "$BIN/clang17/$test"
        add "clang20 $test" "$BIN/clang20/$test"
    done
else
    skip "there is no clang++ (Debian: apt-get install clang)"
fi
if command -v valgrind >/dev/null; then
    for test in $TESTS; do
        add "valgrind $test" valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
            --show-leak-kinds=definite,indirect,possible "$BIN/gcc17/$test" no-leaks
    done
else
    skip "there is no valgrind (Debian: apt-get install valgrind)"
fi
add examples sh ./examples.sh
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
