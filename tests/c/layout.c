/* Sizes and offsets of the public structs and the numbers of the constants, as in layout.h. */
#include "check.h"

#include <libws.h>

#if SIZE_MAX == UINT64_MAX
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type);
#define FIELD(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field);
#else
#define SIZE(type, bytes)
#define FIELD(type, field, offset)
#endif
#define VALUE(constant, number) _Static_assert((constant) == (number), #constant);
#include "layout.h"
#undef SIZE
#undef FIELD
#undef VALUE

int main(void) {
    int rows = 0;
    check_begin(10);
#if SIZE_MAX == UINT64_MAX
#define SIZE(type, bytes) rows++; CHECK_EQ(sizeof(type), bytes);
#define FIELD(type, field, offset) rows++; CHECK_EQ(offsetof(type, field), offset);
#else
#define SIZE(type, bytes) rows++;
#define FIELD(type, field, offset) rows++;
#endif
#define VALUE(constant, number) rows++; CHECK_EQ(constant, number);
#include "layout.h"
    CHECK(rows > 100); /* the table was not cut */
    return check_end();
}
