//! Host names to addresses, off the loop's thread: getaddrinfo blocks for as long as the name servers please.
//!
//! A process has at most [`MAX_THREADS`] threads for it. They start on demand and end after some seconds without
//! work; nobody ever waits for them.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use super::gate::{self, Process};

/// Threads that resolve names, per process.
pub const MAX_THREADS: usize = 4;

/// Names that may wait for a thread; one more is refused.
pub const MAX_WAITING: usize = 1_024;

/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(10);

/// What receives the answer: at least one address, or why there is none.
pub type Done = Box<dyn FnOnce(io::Result<Vec<SocketAddr>>) + Send>;

/// Resolves `host` and gives the addresses with `port` to `done`, in the order in which they should be tried.
///
/// An IP address (IPv6 also in brackets, also with a zone: `fe80::1%lo`) is answered before this returns, in the
/// caller's thread, and so is a refusal because [`MAX_WAITING`] names wait ([`io::ErrorKind::ResourceBusy`]). A
/// name is answered in another thread, once. A forked child starts with threads and a queue of its own.
pub fn resolve(host: &str, port: u16, done: Done) {
    match literal(host, port) {
        Some(answer) => done(answer),
        None => Pool::of_this_process().submit(Job { host: host.to_owned(), port, done }),
    }
}

/// The answer for a host that is an IP address.
fn literal(host: &str, port: u16) -> Option<io::Result<Vec<SocketAddr>>> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Some(Ok(vec![SocketAddr::new(ip, port)]));
    }
    // The names of zones are the system's: getaddrinfo knows them, and asks no server about a literal.
    let (ip, _zone) = bare.split_once('%')?;
    ip.parse::<Ipv6Addr>().ok()?;
    Some(look_up(bare, port))
}

/// getaddrinfo.
fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let addrs: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    if addrs.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(addrs)
}

struct Job {
    host: String,
    port: u16,
    done: Done,
}

impl Job {
    fn run(self, look_up: LookUp) {
        let answer = look_up(&self.host, self.port);
        let done = self.done;
        // A panic of the receiver is its own: the thread serves others too.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| done(answer)));
    }
}

type LookUp = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

/// The threads of one process and what waits for them.
struct Pool {
    look_up: LookUp,
    idle: Duration,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Pool {
    fn new(look_up: LookUp, idle: Duration) -> Arc<Pool> {
        Arc::new(Pool { look_up, idle, state: Mutex::default(), work: Condvar::new() })
    }

    /// The pool of the process that asks. What a child inherited of its parent's pool is left as it is, for ever:
    /// the threads do not exist there, a lock may be held by one of them, and the answers are not the child's.
    fn of_this_process() -> Arc<Pool> {
        /// One process of a line of forks, and the child that came after it.
        struct Home {
            process: Process,
            pool: Arc<Pool>,
            child: OnceLock<Box<Home>>,
        }
        static FIRST: OnceLock<Box<Home>> = OnceLock::new();
        let current = Process::current();
        gate::with_global_lock(|| {
            let mut place = &FIRST;
            loop {
                let home = place.get_or_init(|| {
                    let pool = Pool::new(look_up, IDLE);
                    Box::new(Home { process: current, pool, child: OnceLock::new() })
                });
                if home.process == current {
                    return Arc::clone(&home.pool);
                }
                place = &home.child;
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole at every point where a panic is possible.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a job and sees to it that a thread will take it; otherwise answers it with an error.
    fn submit(self: &Arc<Self>, job: Job) {
        if let Err((job, error)) = self.enqueue(job) {
            (job.done)(Err(error));
        }
    }

    fn enqueue(self: &Arc<Self>, job: Job) -> Result<(), (Job, io::Error)> {
        let mut state = self.state();
        if state.waiting.len() >= MAX_WAITING {
            let error = io::Error::new(io::ErrorKind::ResourceBusy, "too many names wait to be resolved");
            return Err((job, error));
        }
        if state.idle <= state.waiting.len() && state.threads < MAX_THREADS {
            match self.start_thread() {
                Ok(()) => state.threads += 1,
                Err(error) if state.threads == 0 => return Err((job, error)),
                Err(_) => {} // The threads that there are will come to it.
            }
        }
        state.waiting.push_back(job);
        self.work.notify_one();
        Ok(())
    }

    fn start_thread(self: &Arc<Self>) -> io::Result<()> {
        let pool = Arc::clone(self);
        thread::Builder::new().name("ws-resolve".to_owned()).spawn(move || pool.serve()).map(drop)
    }

    /// The life of one thread.
    fn serve(&self) {
        while let Some(job) = self.next() {
            job.run(self.look_up);
        }
    }

    /// The next job; `None` after a while without one: the thread is no longer counted and must end.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        state.idle += 1;
        let (mut state, _) = self
            .work
            .wait_timeout_while(state, self.idle, |state| state.waiting.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        state.idle -= 1;
        let job = state.waiting.pop_front();
        if job.is_none() {
            state.threads -= 1;
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    type Answers = mpsc::Receiver<io::Result<Vec<SocketAddr>>>;

    fn receiver() -> (Done, Answers) {
        let (sender, answers) = mpsc::channel();
        (Box::new(move |answer| sender.send(answer).unwrap()), answers)
    }

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn literals_are_answered_at_once() {
        let here = thread::current().id();
        for (host, expected) in [
            ("127.0.0.1", "127.0.0.1:80"),
            ("::1", "[::1]:80"),
            ("[::1]", "[::1]:80"),
            ("2001:db8::7", "[2001:db8::7]:80"),
        ] {
            let (sender, answers) = mpsc::channel();
            let done = move |answer| sender.send((thread::current().id(), answer)).unwrap();
            resolve(host, 80, Box::new(done));
            let (thread, answer) = answers.try_recv().unwrap();
            assert_eq!(thread, here);
            assert_eq!(answer.unwrap(), [addr(expected)]);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn zones_are_answered_at_once() {
        let (done, answers) = receiver();
        resolve("fe80::1%lo", 80, done);
        let SocketAddr::V6(addr) = answers.try_recv().unwrap().unwrap()[0] else { panic!("not IPv6") };
        assert_ne!(addr.scope_id(), 0);
        let (done, answers) = receiver();
        resolve("fe80::1%no-such-zone", 80, done);
        assert!(answers.try_recv().unwrap().is_err());
    }

    #[test]
    fn localhost_by_another_thread() {
        let (done, answers) = receiver();
        resolve("localhost", 8080, done);
        let addrs = answers.recv().unwrap().unwrap();
        assert!(addrs.iter().all(|addr| addr.ip().is_loopback() && addr.port() == 8080), "{addrs:?}");
        assert!(!addrs.is_empty());
    }

    #[test]
    fn impossible_names() {
        for host in ["", "nul\0inside"] {
            let (done, answers) = receiver();
            resolve(host, 80, done);
            assert!(answers.recv().unwrap().is_err(), "{host:?}");
        }
    }

    /// A name server under the test's control: each question waits for a token, and is counted.
    mod held {
        use super::*;

        static TURN: Mutex<(usize, usize)> = Mutex::new((0, 0)); // asked, answered
        static CHANGE: Condvar = Condvar::new();

        pub fn look_up(_host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
            let mut turn = TURN.lock().unwrap();
            turn.0 += 1;
            let mine = turn.0;
            CHANGE.notify_all();
            drop(CHANGE.wait_while(turn, |turn| turn.1 < mine).unwrap());
            Ok(vec![SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)])
        }

        pub fn wait_until_asked(times: usize) {
            drop(CHANGE.wait_while(TURN.lock().unwrap(), |turn| turn.0 < times).unwrap());
        }

        pub fn answer_all() {
            TURN.lock().unwrap().1 = usize::MAX;
            CHANGE.notify_all();
        }
    }

    #[test]
    fn threads_and_queue_are_bounded() {
        let pool = Pool::new(held::look_up, Duration::ZERO);
        let (sender, answers) = mpsc::channel();
        let submit = |port| {
            let sender = sender.clone();
            let done: Done = Box::new(move |answer| sender.send((port, answer)).unwrap());
            pool.submit(Job { host: "held".to_owned(), port, done });
        };
        for port in 0..MAX_THREADS as u16 {
            submit(port);
        }
        held::wait_until_asked(MAX_THREADS);
        for port in 0..MAX_WAITING as u16 {
            submit(1_000 + port);
        }
        assert_eq!(pool.state().threads, MAX_THREADS);
        assert!(answers.try_recv().is_err());
        submit(9_999);
        let (port, answer) = answers.try_recv().unwrap();
        assert_eq!((port, answer.unwrap_err().kind()), (9_999, io::ErrorKind::ResourceBusy));

        held::answer_all();
        let mut ports: Vec<u16> = Vec::new();
        for _ in 0..MAX_THREADS + MAX_WAITING {
            let (port, answer) = answers.recv().unwrap();
            assert_eq!(answer.unwrap()[0].port(), port);
            ports.push(port);
        }
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), MAX_THREADS + MAX_WAITING);
        // Threads without work end: each holds a reference to the pool.
        while Arc::strong_count(&pool) > 1 {
            thread::yield_now();
        }
        assert_eq!(pool.state().threads, 0);
    }

    #[test]
    fn a_panic_of_the_receiver_does_not_end_the_service() {
        let pool = Pool::new(look_up, IDLE);
        let job = |done| Job { host: "localhost".to_owned(), port: 1, done };
        for _ in 0..2 * MAX_THREADS {
            pool.submit(job(Box::new(|_| panic::resume_unwind(Box::new("receiver")))));
        }
        let (done, answers) = receiver();
        pool.submit(job(done));
        assert!(answers.recv().unwrap().is_ok());
        assert!(pool.state().threads <= MAX_THREADS);
    }
}
