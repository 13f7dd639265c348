//! The command line.

use crate::Result;
use std::time::Duration;

/// How to use it, for the error messages.
pub const USAGE: &str = "wsload echo|broadcast|latency|set-up|idle --servers PORT:PID[,PORT:PID...]
    [--connections N] [--size BYTES] [--depth MESSAGES] [--kind binary|ascii|chinese|json]
    [--deflate off|takeover|no-takeover] [--window-ms MS] [--cycles N] [--rate MESSAGES_PER_SECOND]";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every connection sends a batch, waits for all replies, and sends the next.
    Echo,
    /// One connection sends, all receive.
    Broadcast,
    /// Messages leave at a fixed rate, whatever the replies do.
    Latency,
    /// Connections are opened and reset.
    SetUp,
    /// Connections are opened and left alone.
    Idle,
}

/// What the payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Random bytes, as a binary message.
    Binary,
    /// English text.
    Ascii,
    /// Chinese text with a little punctuation.
    Chinese,
    /// Records in JSON.
    Json,
}

/// Whether permessage-deflate is offered, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deflate {
    /// Not offered.
    Off,
    /// Offered without parameters.
    Takeover,
    /// Offered with both `no_context_takeover` parameters, so that every server does the same work.
    NoTakeover,
}

/// One server: where it listens and whose CPU time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    pub port: u16,
    pub pid: i32,
}

/// Everything that the command line says.
#[derive(Clone, Debug)]
pub struct Options {
    pub mode: Mode,
    pub servers: Vec<Server>,
    pub connections: usize,
    pub size: usize,
    pub depth: usize,
    pub kind: Kind,
    pub deflate: Deflate,
    pub window: Duration,
    pub cycles: usize,
    /// Messages per second of `latency`; 0 means half of what the slowest server can do.
    pub rate: f64,
}

impl Options {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Options> {
        let mode = match words.next().as_deref() {
            Some("echo") => Mode::Echo,
            Some("broadcast") => Mode::Broadcast,
            Some("latency") => Mode::Latency,
            Some("set-up") => Mode::SetUp,
            Some("idle") => Mode::Idle,
            Some(other) => return Err(format!("no such mode: {other}\n{USAGE}")),
            None => return Err(format!("no mode\n{USAGE}")),
        };
        let mut options = Options {
            mode,
            servers: Vec::new(),
            connections: 10,
            size: 20,
            depth: 1,
            kind: Kind::Binary,
            deflate: Deflate::Off,
            window: Duration::from_millis(70),
            cycles: 21,
            rate: 0.0,
        };
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} needs a value\n{USAGE}"))?;
            options.set(&name, &value)?;
        }
        options.check()
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "--servers" => self.servers = value.split(',').map(server).collect::<Result<_>>()?,
            "--connections" => self.connections = number(name, value)?,
            "--size" => self.size = number(name, value)?,
            "--depth" => self.depth = number(name, value)?,
            "--window-ms" => self.window = Duration::from_millis(number(name, value)?),
            "--cycles" => self.cycles = number(name, value)?,
            "--rate" => self.rate = number(name, value)?,
            "--kind" => {
                self.kind = match value {
                    "binary" => Kind::Binary,
                    "ascii" => Kind::Ascii,
                    "chinese" => Kind::Chinese,
                    "json" => Kind::Json,
                    _ => return Err(format!("--kind {value}: binary, ascii, chinese or json")),
                }
            }
            "--deflate" => {
                self.deflate = match value {
                    "off" => Deflate::Off,
                    "takeover" => Deflate::Takeover,
                    "no-takeover" => Deflate::NoTakeover,
                    _ => return Err(format!("--deflate {value}: off, takeover or no-takeover")),
                }
            }
            _ => return Err(format!("no such option: {name}\n{USAGE}")),
        }
        Ok(())
    }

    fn check(self) -> Result<Options> {
        if self.servers.is_empty() {
            return Err(format!("--servers names no server\n{USAGE}"));
        }
        if self.connections == 0 || self.depth == 0 || self.cycles == 0 {
            return Err("--connections, --depth and --cycles must be at least 1".into());
        }
        if self.rate < 0.0 || !self.rate.is_finite() {
            return Err("--rate must not be negative".into());
        }
        if self.deflate != Deflate::Off && !matches!(self.mode, Mode::Echo | Mode::SetUp | Mode::Idle) {
            return Err("--deflate goes with echo, set-up and idle".into());
        }
        Ok(self)
    }
}

fn server(text: &str) -> Result<Server> {
    let parts = text.split_once(':').ok_or_else(|| format!("--servers {text}: PORT:PID is meant"))?;
    Ok(Server { port: number("--servers", parts.0)?, pid: number("--servers", parts.1)? })
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T> {
    value.parse().map_err(|_| format!("{name} {value}: not a number that fits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn a_whole_line() {
        let options = parse("echo --servers 1:2,3:4 --size 1024 --depth 16 --kind chinese").unwrap();
        assert_eq!(options.servers, [Server { port: 1, pid: 2 }, Server { port: 3, pid: 4 }]);
        assert_eq!((options.size, options.depth, options.kind), (1024, 16, Kind::Chinese));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, word) in [
            ("", "mode"),
            ("gallop", "gallop"),
            ("echo", "--servers"),
            ("echo --servers 1", "PORT:PID"),
            ("echo --servers 70000:1", "70000"),
            ("echo --servers 1:1 --depth 0", "--depth"),
            ("echo --servers 1:1 --size", "--size"),
            ("echo --servers 1:1 --kind klingon", "klingon"),
            ("broadcast --servers 1:1 --deflate takeover", "--deflate"),
            ("latency --servers 1:1 --rate -3", "--rate"),
        ] {
            let sentence = parse(line).unwrap_err();
            assert!(sentence.contains(word), "{line}: {sentence}");
        }
    }
}
