/* What every test program here uses: CHECK, and the line that check.sh reads. */
#ifndef CHECK_H
#define CHECK_H

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int check_passed, check_failed; /* loops on other threads check too */

/* Counts one check; a failed one is shown with its place, and the program goes on. */
#define CHECK(condition)                                                               \
    do {                                                                               \
        if (condition) {                                                               \
            check_passed++;                                                            \
        } else {                                                                       \
            check_failed++;                                                            \
            printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);             \
        }                                                                              \
    } while (0)

/* The same for two integers, showing both. */
#define CHECK_EQ(seen, expected)                                                       \
    do {                                                                               \
        long long check_seen = (long long)(seen), check_expected = (long long)(expected); \
        if (check_seen == check_expected) {                                            \
            check_passed++;                                                            \
        } else {                                                                       \
            check_failed++;                                                            \
            printf("%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #seen, check_seen, check_expected); \
        }                                                                              \
    } while (0)

/* First in main: a program that hangs is ended. */
static inline void check_begin(unsigned seconds) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(seconds);
}

/* Last in main: `return check_end();` */
static inline int check_end(void) {
    printf("%d passed, %d failed, 0 skipped\n", check_passed, check_failed);
    return check_failed != 0;
}

#endif
