/* Sizes and offsets of the public structs, as in layout.h. */
#include "check.h"

#include <libws.h>

#if SIZE_MAX == UINT64_MAX
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type);
#define FIELD(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field);
#include "layout.h"
#undef SIZE
#undef FIELD
#endif

int main(void) {
    int rows = 0;
    check_begin(10);
#define SIZE(type, bytes) rows++; CHECK_EQ(sizeof(type), bytes);
#define FIELD(type, field, offset) rows++; CHECK_EQ(offsetof(type, field), offset);
#include "layout.h"
    /* A field that layout.h does not know would be at the end of its struct: the sizes tell. */
    CHECK(rows > 50);
    return check_end();
}
