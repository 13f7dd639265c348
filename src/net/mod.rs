//! Layer 2: non-blocking byte streams. Knows mio, not WebSocket.
