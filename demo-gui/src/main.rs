//! Collaborative notes: the window. Everything without a window is in `notes-core`.

fn main() {}
