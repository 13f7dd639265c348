//! Time, and the CPU time of processes.

use crate::Result;
use rustix::time::{ClockId, Timespec, clock_gettime};

fn nanoseconds(time: Timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Monotonic nanoseconds.
pub fn now() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// CPU time of this process in nanoseconds.
pub fn own_cpu() -> u64 {
    nanoseconds(clock_gettime(ClockId::ProcessCPUTime))
}

/// The CPU clock of another process: all its threads, to the nanosecond, unlike the ticks in /proc/PID/stat.
#[derive(Clone, Copy, Debug)]
pub struct CpuClock {
    clock: libc::clockid_t,
    pid: i32,
}

impl CpuClock {
    pub fn of(pid: i32) -> Result<CpuClock> {
        let mut clock = 0;
        // SAFETY: the pointer is to a local variable.
        match unsafe { libc::clock_getcpuclockid(pid, &mut clock) } {
            0 => Ok(CpuClock { clock, pid }),
            error => Err(format!("CPU clock of process {pid}: {}", std::io::Error::from_raw_os_error(error))),
        }
    }

    /// Nanoseconds used so far.
    pub fn read(&self) -> Result<u64> {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a local variable.
        match unsafe { libc::clock_gettime(self.clock, &mut time) } {
            0 => Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64),
            _ => Err(format!("process {} has ended", self.pid)),
        }
    }
}

/// Resident memory of a process in bytes: RssAnon, RssFile and RssShmem together.
pub fn resident(pid: i32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.map(|kilobytes| kilobytes * 1024).ok_or_else(|| format!("{path} tells no VmRSS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_this_process_runs() {
        let clock = CpuClock::of(std::process::id() as i32).unwrap();
        let before = clock.read().unwrap();
        let mut sum = 0u64;
        while clock.read().unwrap() < before + 1_000_000 {
            sum = sum.wrapping_add(1);
        }
        assert!(sum > 0);
        assert!(CpuClock::of(-5).is_err());
    }

    #[test]
    fn this_process_has_memory() {
        assert!(resident(std::process::id() as i32).unwrap() > 100_000);
    }
}
