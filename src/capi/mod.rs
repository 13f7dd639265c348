//! Layer 6: the C ABI. One file per section of `include/libws.h`, in its order.
