# For the scripts beside this one: counts checks and prints the line that check.sh reads. Source it, call `tally_end` last.
passed=0 failed=0 skipped=0

# check NAME COMMAND...: passes if the command does; its output is shown if not.
check() {
    what=$1
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'failed: %s\n%s\n' "$what" "$output"
    fi
}

# skip WHY
skip() {
    skipped=$((skipped + 1))
    echo "skipped: $1"
}

have() { command -v "$1" > /dev/null; }

tally_end() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}
