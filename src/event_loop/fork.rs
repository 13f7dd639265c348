//! The hooks around fork(2): the only unsafe call of the event loop.
#![allow(unsafe_code)]

use std::sync::Once;

use super::ids;
use crate::net::gate;

/// Installs the hooks, the first time it is called; every later fork of the process runs them.
///
/// Should the system have no memory for them, forks go unnoticed: a process in that state has other worries, and
/// one that does not fork misses nothing.
pub fn watch_forks() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: three functions with the C calling convention, without arguments, that live as long as the
        // library (pthread_atfork forgets them when it is unloaded), never unwind, and use atomics only: nothing
        // in them is forbidden in the child of a process with several threads.
        unsafe {
            libc::pthread_atfork(Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child));
        }
    });
}

extern "C" fn before_fork() {
    gate::close();
    gate::note_fork();
}

extern "C" fn after_fork_in_parent() {
    gate::open();
}

extern "C" fn after_fork_in_child() {
    gate::count_fork();
    ids::forget_parent();
    gate::open();
}
