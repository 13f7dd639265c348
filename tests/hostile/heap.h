/* What the program has allocated; see heap.c. */
#ifndef HEAP_H
#define HEAP_H

/* Bytes that are allocated now. */
long heap_used(void);

/* The most that were allocated at one moment since the last call. */
long heap_take_peak(void);

/* From now on, of the requests for more than 4 KiB the `first`-th and those behind it fail, `how_many` of them. */
void heap_fail(int first, int how_many);

/* How many have failed. */
int heap_failed(void);

#endif
