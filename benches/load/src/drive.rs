//! Echo and broadcast: all servers in turn, in reversed order every other cycle.

use crate::Result;
use crate::load::Load;
use crate::options::{Mode, Options};
use crate::target::{SCRATCH, Target};
use crate::verify::verify;
use crate::window::{Pattern, drive};
use std::time::Duration;

/// The first window of each server, which is not counted.
const WARM_UP: Duration = Duration::from_millis(300);

/// Opens the connections of every server.
pub fn open_all(options: &Options, load: &Load) -> Result<Vec<Target>> {
    options.servers.iter().map(|&server| Target::open(server, options.connections, load)).collect()
}

/// The servers in the order of this cycle.
pub fn order(cycle: usize, servers: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..servers).collect();
    if cycle % 2 == 1 {
        order.reverse();
    }
    order
}

pub fn run(options: &Options) -> Result<()> {
    let load = Load::of(options)?;
    verify(options, &load)?;
    let pattern = if options.mode == Mode::Broadcast { Pattern::Broadcast } else { Pattern::Echo };
    let mut targets = open_all(options, &load)?;
    let mut scratch = vec![0; SCRATCH];
    for target in &mut targets {
        drive(target, &load, pattern, WARM_UP, &mut scratch)?;
    }
    for cycle in 0..options.cycles {
        for index in order(cycle, targets.len()) {
            if pattern == Pattern::Broadcast {
                targets[index].show_life()?;
                // What the server makes of that is not measured.
                rest(options.window);
            }
            let report = drive(&mut targets[index], &load, pattern, options.window, &mut scratch)?;
            report.print(index, cycle);
            rest(options.window);
        }
    }
    Ok(())
}

/// A tenth of a window in which nothing is driven: Linux stops real-time processes that take 95 % of a second.
pub fn rest(window: Duration) {
    std::thread::sleep(window / 10);
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn every_other_cycle_is_reversed() {
        assert_eq!([order(0, 3), order(1, 3), order(2, 3)], [[0, 1, 2], [2, 1, 0], [0, 1, 2]]);
    }
}
