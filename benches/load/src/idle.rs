//! Memory per idle connection: how the resident memory of a server grows with `--connections` of them.

use crate::Result;
use crate::clock::resident;
use crate::connect::open_together;
use crate::load::Load;
use crate::options::Options;
use crate::sockets::reset_on_close;
use crate::target::TOGETHER;
use crate::verify::verify;
use std::time::Duration;

/// Connections that come before the first look, so that what a server allocates once is not counted.
const FIRST: usize = 100;
const SETTLE: Duration = Duration::from_millis(700);

pub fn run(options: &Options) -> Result<()> {
    let load = Load::of(options)?;
    verify(options, &load)?;
    for (index, server) in options.servers.iter().enumerate() {
        let mut sockets = Vec::new();
        let mut open_some = |count| -> Result<u64> {
            let end = sockets.len() + count;
            while sockets.len() < end {
                let more = open_together(server.port, load.offer, TOGETHER.min(end - sockets.len()))?;
                more.iter().try_for_each(reset_on_close)?;
                sockets.extend(more);
            }
            std::thread::sleep(SETTLE);
            resident(server.pid)
        };
        let before = open_some(FIRST)?;
        let after = open_some(options.connections)?;
        let growth = after as f64 - before as f64;
        println!(
            "{{\"target\":{index},\"connections\":{},\"bytes_per_connection\":{:.1}}}",
            options.connections,
            growth / options.connections as f64
        );
    }
    Ok(())
}
