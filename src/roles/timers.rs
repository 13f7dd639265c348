//! The application's timers.

use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering::Relaxed;

use super::core::{Core, NONE};
use super::current::with;
use super::notices::{Notice, call_user};
use super::turn::Due;
use crate::error::{Error, ErrorCode, Result};
use crate::event_loop::ids::{self, IdKind};

/// What a timer calls; taken out while it runs.
pub type Call = Box<dyn FnMut() + Send>;

/// Builds a timer's call from its id.
pub type Make = Box<dyn FnOnce(u64) -> Call + Send>;

/// A running timer.
pub struct UserTimer {
    id: u64,
    node: u32,
    at_ms: u64,
    every_ms: u32,
    call: Option<Call>,
}

/// Makes a timer's call, if it was not stopped meanwhile.
pub fn fire(index: u32, id: u64) {
    let Some(call) = with(|core| core.take_timer_call(index, id)) else { return };
    // As with a handler that is lent: a child of fork must not drop it.
    let mut call = ManuallyDrop::new(call);
    call_user(&mut *call);
    let call = ManuallyDrop::into_inner(call);
    let unused = with(|core| core.timer_fired(index, id, call));
    drop(unused);
}

impl Core {
    /// Starts a timer; `make` builds its call from its id. `every_ms` 0: once.
    pub fn start_timer(&mut self, after_ms: u32, every_ms: u32, make: Make) -> Result<u64> {
        if self.shared.is_ending() {
            // Dropping what the application gave runs its code: not inside this borrow.
            self.notices.push_back(Notice::Run(Box::new(move || drop(make))));
            return Err(Error::gone());
        }
        self.refresh_clock();
        // At least one millisecond: a timer that starts another in its call must not fill a whole turn.
        let at_ms = self.now_ms() + u64::from(after_ms.max(1));
        let timer = UserTimer { id: 0, node: NONE, at_ms, every_ms, call: None };
        let index = self.timers.insert(timer);
        let Some((id, _)) = ids::allocate(IdKind::Timer, self.shared.id, index) else {
            self.timers.remove(index);
            self.notices.push_back(Notice::Run(Box::new(move || drop(make))));
            return Err(Error::new(ErrorCode::NoMem, "no timer id is free"));
        };
        let node = self.wheel.insert(at_ms, Due::Timer(index).key());
        if let Some(timer) = self.timers.get_mut(index) {
            timer.id = id;
            timer.node = node;
            timer.call = Some(make(id));
        }
        Ok(id)
    }

    /// Stops a timer. Its call is dropped by the caller, outside the loop's borrow.
    pub fn stop_timer(&mut self, id: u64) -> Result<Option<Call>> {
        let entry = ids::lookup(id, IdKind::Timer).ok_or(Error::gone())?;
        let index = entry.local.load(Relaxed);
        if !ids::release(id) {
            return Err(Error::gone());
        }
        Ok(self.remove_timer(index))
    }

    fn remove_timer(&mut self, index: u32) -> Option<Call> {
        let timer = self.timers.remove(index)?;
        if timer.node != NONE {
            self.wheel.remove(timer.node);
        }
        timer.call
    }

    /// The wheel has fired for a timer.
    pub fn timer_due(&mut self, index: u32) {
        if let Some(timer) = self.timers.get_mut(index) {
            timer.node = NONE;
            let id = timer.id;
            self.notices.push_back(Notice::Timer { index, id });
        }
    }

    fn take_timer_call(&mut self, index: u32, id: u64) -> Option<Call> {
        self.timers.get_mut(index).filter(|timer| timer.id == id)?.call.take()
    }

    /// Arms a repeating timer again; beats that were missed are left out. Returns the call if it is no longer needed.
    fn timer_fired(&mut self, index: u32, id: u64, call: Call) -> Option<Call> {
        let now = self.now_ms();
        let Some(timer) = self.timers.get_mut(index).filter(|timer| timer.id == id) else {
            return Some(call);
        };
        if timer.every_ms == 0 {
            ids::release(id);
            self.remove_timer(index);
            return Some(call);
        }
        timer.call = Some(call);
        let every = u64::from(timer.every_ms);
        let missed = now.saturating_sub(timer.at_ms) / every;
        timer.at_ms += (missed + 1) * every;
        timer.node = self.wheel.insert(timer.at_ms, Due::Timer(index).key());
        None
    }

    /// Stops all timers, because the loop is freed.
    pub fn stop_timers(&mut self) -> Vec<Call> {
        let indices: Vec<u32> = self.timers.keys().collect();
        let stop = |index| {
            ids::release(self.timers.get(index)?.id);
            self.remove_timer(index)
        };
        indices.into_iter().filter_map(stop).collect()
    }
}
