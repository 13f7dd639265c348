//! A load generator for WebSocket servers, on one thread: `wsload MODE --servers PORT:PID,... [options]`.
//!
//! All servers run at once and are driven in turn, in short windows, in reversed order every other cycle, so that
//! whatever the machine does in the meantime happens to all of them. Each window prints one line of JSON with the
//! rate and the CPU time of both sides. See benches/README.md.

mod clock;
mod connect;
mod drive;
mod frame;
mod histogram;
mod idle;
mod latency;
mod load;
mod options;
mod payload;
mod set_up;
mod sockets;
mod target;
mod verify;
mod window;

use options::{Mode, Options};
use std::process::ExitCode;

/// What ends a run: a sentence for the user.
pub type Result<T> = std::result::Result<T, String>;

fn run() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    sockets::raise_descriptor_limit();
    match options.mode {
        Mode::Echo | Mode::Broadcast => drive::run(&options),
        Mode::Latency => latency::run(&options),
        Mode::SetUp => set_up::run(&options),
        Mode::Idle => idle::run(&options),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("wsload: {sentence}");
            ExitCode::FAILURE
        }
    }
}
