/* The allocator of the program under attack, counted exactly: every block by its usable size, at the moment it is had
 * or given back, so that the peak is the peak and not a sample. Requests for more than 4 KiB can be made to fail. */
#include "heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>

enum { LARGE = 4096 };

static atomic_long used, most;
static atomic_int armed, seen, failed, from, count;

long heap_used(void) { return used; }

long heap_take_peak(void) {
    long peak = most;
    most = used;
    return peak;
}

void heap_fail(int first, int how_many) {
    armed = 0;
    seen = failed = 0;
    from = first;
    count = how_many;
    armed = how_many > 0;
}

int heap_failed(void) { return failed; }

static int fails(size_t size) {
    int number;
    if (size <= LARGE || !armed) return 0;
    number = ++seen;
    if (number < from || number >= from + count) return 0;
    failed++;
    errno = ENOMEM;
    return 1;
}

static void *counted(void *block, long before) {
    long now = used += (block ? (long)malloc_usable_size(block) : 0) - before, peak = most;
    while (now > peak && !atomic_compare_exchange_weak(&most, &peak, now)) {}
    return block;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t items, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

void *malloc(size_t size) { return fails(size) ? NULL : counted(__libc_malloc(size), 0); }

void *calloc(size_t items, size_t size) {
    size_t all;
    if (__builtin_mul_overflow(items, size, &all) || fails(all)) return NULL;
    return counted(__libc_calloc(items, size), 0);
}

void *realloc(void *block, size_t size) {
    long before = block ? (long)malloc_usable_size(block) : 0;
    void *moved = fails(size) ? NULL : __libc_realloc(block, size);
    return moved || size == 0 ? counted(moved, before) : NULL;
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    void *block = fails(size) ? NULL : counted(__libc_memalign(alignment, size), 0);
    if (block) *out = block;
    return block ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t size) {
    return fails(size) ? NULL : counted(__libc_memalign(alignment, size), 0);
}

void *memalign(size_t alignment, size_t size) { return aligned_alloc(alignment, size); }

void free(void *block) {
    if (block) used -= (long)malloc_usable_size(block);
    __libc_free(block);
}
