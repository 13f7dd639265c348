/* LD_PRELOAD: every request for more than 4 KiB fails, from the FAIL_FROM-th after the first SIGUSR2 on, FAIL_COUNT
 * times. Before that signal, and behind those, memory is had as always. */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

enum { LARGE = 4096 };

static atomic_int armed, seen, failed;
static int from = 1, count = 1;

static void arm(int number) {
    (void)number;
    seen = failed = 0;
    armed = 1;
}

static void report(int number) {
    char line[] = "shim 000000\n";
    int value = failed;
    (void)number;
    for (size_t i = sizeof line - 3; i > 4; i--, value /= 10) line[i] = (char)('0' + value % 10);
    armed = 0;
    if (write(1, line, sizeof line - 1) < 0) return;
}

__attribute__((constructor)) static void begin(void) {
    const char *text;
    if ((text = getenv("FAIL_FROM"))) from = atoi(text);
    if ((text = getenv("FAIL_COUNT"))) count = atoi(text);
    signal(SIGUSR2, arm);
    signal(SIGUSR1, report);
}

static int fails(size_t size) {
    if (size <= LARGE || !armed || ++seen < from || seen >= from + count) return 0;
    failed++;
    errno = ENOMEM;
    return 1;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t items, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) { return fails(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t items, size_t size) {
    return size && fails(items > (size_t)-1 / size ? (size_t)-1 : items * size) ? NULL : __libc_calloc(items, size);
}
void *realloc(void *block, size_t size) { return fails(size) ? NULL : __libc_realloc(block, size); }
int posix_memalign(void **out, size_t alignment, size_t size) {
    void *block = fails(size) ? NULL : __libc_memalign(alignment, size);
    if (!block) return ENOMEM;
    *out = block;
    return 0;
}
void *aligned_alloc(size_t alignment, size_t size) { return fails(size) ? NULL : __libc_memalign(alignment, size); }
