//! Layer 5: what a loop does with its sockets: listen, accept, upgrade, connect, read, write, close.
