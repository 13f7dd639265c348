#!/bin/sh
# What libws.so exports is what libws.h declares and what misuse_rows.h calls; its name; and the static library links.
. ./tally.sh

library=$TARGET/release/libws.so
work=$TARGET/tests-c/symbols
mkdir -p "$work"

have nm && have readelf || { skip "nm and readelf are missing: install binutils"; tally_end; exit; }

nm -D --defined-only "$library" | sed 's/.* //; s/@.*//' | sort > "$work/exported"
echo '#include <libws.h>' | ${CC:-cc} -E -P -I../../include - | tr '\n' ' ' | tr ';' '\n' |
    sed -n 's/^[^{}]*[ *]\(libws_[a-z_]*\)(.*)[^()]*$/\1/p' | grep -v '^typedef' | sort > "$work/declared"
"$TARGET/tests-c/misuse" names | sort > "$work/called"

static_program() {
    cat > "$work/static.c" <<'END'
#include <libws.h>
int main(void) {
    libws_loop loop;
    return libws_loop_new(0, &loop) || libws_loop_run(loop) || libws_loop_free(loop);
}
END
    private=$(sed -n 's/^Libs.private: //p' ../../libws.pc.in)
    # shellcheck disable=SC2086
    ${CC:-cc} -I../../include -o "$work/static" "$work/static.c" "$TARGET/release/libws.a" $private &&
        ! readelf -d "$work/static" | grep -F libws.so && "$work/static"
}

# needs_libc_only: what a C program has anyway, and the unwinder that comes with the compiler.
needs_libc_only() {
    readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' > "$work/needed"
    cat "$work/needed"
    test -s "$work/needed" &&
        ! grep -vE '^(libc|libm|libpthread|libdl|librt|libgcc_s|ld-linux[a-z0-9_-]*|ld-musl[a-z0-9_-]*|libc\.musl[a-z0-9_-]*)\.so(\.[0-9]+)*$' "$work/needed"
}

check "libws.so exports something" test -s "$work/exported"
check "the exported functions are the declared ones" diff "$work/exported" "$work/declared"
check "every exported function has a row in misuse_rows.h" diff "$work/exported" "$work/called"
check "the SONAME" sh -c "readelf -d '$library' | grep -F 'Library soname: [libws.so.0]'"
check "libws.so needs nothing but the C library" needs_libc_only
check "a program links to libws.a with Libs.private" static_program
tally_end
