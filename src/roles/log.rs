//! What a loop tells about itself: silent unless the application gives it a sink.

use std::fmt;
use std::sync::Arc;

use super::core::Core;
use super::notices::{Notice, call_user};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// Something failed that should not.
    Error = 1,
    /// Something was given up to protect the process.
    Warn = 2,
    /// Something a peer did.
    Info = 3,
    /// Everything else.
    Debug = 4,
}

/// Gets the lines, on the loop's thread.
pub type Sink = Arc<dyn Fn(Level, &str) + Send + Sync>;

/// Lines longer than this are cut.
const MAX_LINE: usize = 400;

/// Where lines go, and from which level on.
pub struct Log {
    sink: Option<Sink>,
    level: Level,
}

/// A line on its way to the sink.
pub struct Line {
    sink: Sink,
    level: Level,
    text: String,
}

impl Log {
    /// No sink: silence.
    pub fn new(sink: Option<Sink>, level: Level) -> Log {
        Log { sink, level }
    }
}

impl Core {
    /// Notes a line; the sink is called between two steps of the loop, like every user function.
    pub fn log(&mut self, level: Level, what: fmt::Arguments<'_>) {
        let Some(sink) = self.log.sink.as_ref().filter(|_| level <= self.log.level) else { return };
        let line = Line { sink: sink.clone(), level, text: escape(&what.to_string()) };
        self.notices.push_back(Notice::Log(line));
    }
}

/// Calls the sink.
pub fn write(line: &Line) {
    call_user(|| (line.sink)(line.level, &line.text));
}

/// A peer's bytes must not end a line or move a terminal's cursor.
fn escape(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars() {
        if line.len() >= MAX_LINE {
            line.push('…');
            break;
        }
        match c {
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(escape("a\r\nb\x1b[2J"), "a\\r\\nb\\u{1b}[2J");
        assert!(escape(&"x".repeat(100_000)).len() < MAX_LINE + 8);
    }
}
