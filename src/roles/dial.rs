//! The client's way to an open connection: name, address, TCP, request, answer.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::SystemTime;

use super::close::{Ending, ReadyState};
use super::core::{Core, Owner, Phase};
use super::deflate::Offered;
use super::handler::Handler;
use super::notices::Notice;
use super::reconnect::{Client, Refusal};
use super::requests::Headers;
use super::settings::{ConnectOptions, OFF, after};
use super::{backoff, shared};
use crate::error::{Error, ErrorCode, Result};
use crate::event_loop::ids::{self, IdKind};
use crate::event_loop::poller::Target;
use crate::net::stream::Stream;
use crate::net::{connect, resolve};
use crate::proto::Role;
use crate::proto::handshake::client::{self, Refused};
use crate::proto::handshake::headers;
use crate::proto::head::{HeadLimits, HeadReader, ResponseHead};
use crate::proto::url::{Endpoint, Url};

/// What to connect to and what to say there.
pub struct Plan {
    url: Url,
    protocols: Vec<String>,
    origin: Option<String>,
    headers: Headers,
}

/// A connection on its way.
pub struct Dial {
    key: [u8; 16],
    /// What the request offers about permessage-deflate.
    deflate: Option<Offered>,
    stage: Stage,
    /// Addresses not tried yet.
    addresses: VecDeque<SocketAddr>,
    /// When the whole attempt ends, and when the address that is being tried is given up.
    deadline_ms: u64,
    attempt_ms: u64,
    last_error: String,
}

enum Stage {
    Resolving,
    Connecting,
    Answer(HeadReader<ResponseHead>),
}

impl Dial {
    /// When something must have happened.
    pub fn deadline_ms(&self) -> u64 {
        self.deadline_ms.min(self.attempt_ms)
    }
}

/// Begins to connect; the id is valid at once.
pub fn connect(
    loop_id: u64,
    url: &str,
    handler: Box<dyn Handler>,
    user: usize,
    options: ConnectOptions,
) -> Result<u64> {
    ids::lookup(loop_id, IdKind::Loop).ok_or(Error::gone())?;
    options.settings.check()?;
    let url = Url::parse(url).map_err(|what| Error::new(ErrorCode::Address, what))?;
    let protocols = options.protocols.as_deref().map_or(Ok(Vec::new()), client::parse_protocols);
    let headers = options.headers.as_deref().map_or(Ok(Vec::new()), headers::parse);
    if let Some(origin) = options.origin.as_deref() {
        http::HeaderValue::from_str(origin).map_err(|_| Error::invalid("origin is not a header value"))?;
    }
    let plan = Plan {
        url,
        protocols: protocols.map_err(Error::invalid)?,
        origin: options.origin.clone(),
        headers: headers.map_err(Error::invalid)?,
    };
    // A request has at most one (RFC 6454 section 7.3).
    if plan.origin.is_some() && plan.headers.iter().any(|(name, _)| *name == http::header::ORIGIN) {
        return Err(Error::invalid("Origin stands in `headers` and in `origin`"));
    }
    if let Some(reconnect) = options.reconnect.as_ref().filter(|rules| rules.min_ms > rules.max_ms) {
        let (min, max) = (reconnect.min_ms, reconnect.max_ms);
        return Err(Error::invalid(format!("reconnect_min_ms ({min}) is above reconnect_max_ms ({max})")));
    }
    let client = Client::new(plan, &options);
    let settings = options.settings.clone();
    let (id, entry) = ids::allocate(IdKind::Conn, loop_id, super::core::NONE)
        .ok_or_else(|| Error::new(ErrorCode::NoMem, "no connection id is free"))?;
    entry.user.store(user, Relaxed);
    entry.high_water.store(settings.high_water, Relaxed);
    entry.max_buffered.store(settings.max_buffered, Relaxed);
    client.show_offline(entry);
    let mut owner = Owner::new(handler, user, settings, None);
    owner.client = Some(Box::new(client));
    let begun = shared::with_shared(loop_id, |shared| shared.is_ending())
        .and_then(|ending| if ending { Err(Error::gone()) } else { Ok(()) })
        .and_then(|()| shared::tell(loop_id, move |core| core.begin_dial(id, owner)));
    if let Err(error) = begun {
        ids::release(id);
        return Err(error);
    }
    Ok(id)
}

fn retry_after(head: &ResponseHead) -> Option<u64> {
    let value = head.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    backoff::retry_after_ms(value, SystemTime::now())
}

impl Core {
    fn begin_dial(&mut self, id: u64, owner: Owner) {
        let owner = self.owners.insert(owner);
        let index = self.add_socket(owner, None, Phase::Waiting { until_ms: 0 }, Role::Client);
        if let Some(entry) = ids::lookup(id, IdKind::Conn) {
            entry.local.store(index, Relaxed);
        }
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.id = id;
        }
        self.redial(index);
    }

    /// Begins an attempt: the first, or the next.
    pub fn redial(&mut self, index: u32) {
        let now = self.now_ms();
        let Some(timeout) = self.settings_of(index).map(|settings| settings.handshake_timeout_ms) else {
            return;
        };
        let Some(endpoint) = self.client(index).map(|client| client.plan.url.endpoint.clone()) else {
            return;
        };
        let key = self.random.take();
        let deflate = self.settings_of(index).and_then(|settings| settings.deflate.as_ref());
        let deflate = deflate.map(|settings| self.deflating.offer(settings));
        let Some(socket) = self.sockets.get_mut(index) else { return };
        let id = socket.id;
        socket.phase = Phase::Dial(Box::new(Dial {
            key,
            deflate,
            stage: Stage::Resolving,
            addresses: VecDeque::new(),
            deadline_ms: after(now, timeout),
            attempt_ms: u64::MAX,
            last_error: String::new(),
        }));
        self.arm(index);
        match endpoint {
            Endpoint::Unix(path) => match connect::unix(&path) {
                Ok(stream) => self.dial_begun(index, stream),
                Err(error) => self.dial_next(index, &format!("{}: {error}", path.display())),
            },
            Endpoint::Tcp { host, port } => self.resolve(id, &host, port),
        }
    }

    fn resolve(&self, id: u64, host: &str, port: u16) {
        let loop_id = self.shared.id;
        let name = host.to_owned();
        // The answer always comes by mail, also where the resolver answers at once: this loop is borrowed now.
        let done = move |result: io::Result<Vec<SocketAddr>>| {
            let step = move |core: &mut Core| core.resolved(id, &name, result);
            // If the loop is gone, so is the connection.
            let _ = shared::post(loop_id, shared::Post::Step(Box::new(step)));
        };
        resolve::resolve(host, port, Box::new(done));
    }

    fn resolved(&mut self, id: u64, name: &str, result: io::Result<Vec<SocketAddr>>) {
        let Ok(index) = self.index_of(id) else { return };
        let Some(dial) = self.dial(index) else { return };
        match result {
            Ok(addresses) => {
                dial.addresses = addresses.into();
                dial.last_error = format!("{name}: the name has no address");
                self.dial_next(index, "");
            }
            Err(error) => {
                let detail = format!("{name}: {error}");
                self.fail(index, Ending::broken(ErrorCode::Address, detail));
            }
        }
    }

    fn dial(&mut self, index: u32) -> Option<&mut Dial> {
        match &mut self.sockets.get_mut(index)?.phase {
            Phase::Dial(dial) => Some(dial),
            _ => None,
        }
    }

    /// Tries the next address. `why`: what became of the one before.
    pub fn dial_next(&mut self, index: u32, why: &str) {
        let now = self.now_ms();
        self.drop_stream(index);
        let Some(dial) = self.dial(index) else { return };
        if !why.is_empty() {
            why.clone_into(&mut dial.last_error);
        }
        if matches!(dial.stage, Stage::Answer(_)) {
            let detail = std::mem::take(&mut dial.last_error);
            return self.fail(index, Ending::broken(ErrorCode::Io, detail));
        }
        while let Some(address) = self.next_address(index, now) {
            match connect::tcp(address) {
                Ok(stream) => return self.dial_begun(index, stream),
                Err(error) => {
                    if let Some(dial) = self.dial(index) {
                        dial.last_error = format!("{address}: {error}");
                    }
                }
            }
        }
        let Some(dial) = self.dial(index) else { return };
        let detail = std::mem::take(&mut dial.last_error);
        self.fail(index, Ending::broken(ErrorCode::Io, detail));
    }

    /// Every address gets its share of the time that is left, so that one that swallows packets does not use it up.
    fn next_address(&mut self, index: u32, now: u64) -> Option<SocketAddr> {
        let dial = self.dial(index)?;
        let address = dial.addresses.pop_front()?;
        let share = dial.deadline_ms.saturating_sub(now) / (dial.addresses.len() as u64 + 1);
        dial.attempt_ms = now.saturating_add(share);
        Some(address)
    }

    /// Leaves a stream behind; the socket lives on.
    pub fn drop_stream(&mut self, index: u32) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.flags.broken = false;
        socket.flags.write_interest = false;
        if let Some(mut stream) = socket.stream.take() {
            self.poller.forget(&mut stream);
        }
    }

    fn dial_begun(&mut self, index: u32, mut stream: Stream) {
        let urgent = !stream.is_unix();
        if let Err(error) = self.poller.watch(&mut stream, Target::Socket(index), urgent, true) {
            return self.fail(index, Ending::broken(ErrorCode::Io, error.to_string()));
        }
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.stream = Some(stream);
        socket.flags.write_interest = true;
        if let Some(dial) = self.dial(index) {
            dial.stage = Stage::Connecting;
        }
        self.arm(index);
    }

    /// The stream has room: it is connected, or the connecting failed.
    pub fn dial_writable(&mut self, index: u32) {
        let Some(socket) = self.sockets.get(index) else { return };
        let Phase::Dial(dial) = &socket.phase else { return };
        if !matches!(dial.stage, Stage::Connecting) {
            return self.flush(index);
        }
        let Some(stream) = &socket.stream else { return };
        match connect::finish(stream) {
            Ok(true) => self.send_request(index),
            Ok(false) => {}
            Err(error) => self.dial_next(index, &error.to_string()),
        }
    }

    fn send_request(&mut self, index: u32) {
        let Some(dial) = self.dial(index) else { return };
        let (key, rules) = (dial.key, dial.deflate.as_ref().map(|offered| offered.rules));
        let Some(client) = self.client(index) else { return };
        let Plan { url, protocols, origin, headers } = &client.plan;
        let request = client::request(url, key, protocols, rules.as_ref(), origin.as_deref(), headers);
        let Some(dial) = self.dial(index) else { return };
        dial.stage = Stage::Answer(HeadReader::new(HeadLimits::default()));
        dial.attempt_ms = u64::MAX;
        dial.addresses.clear();
        self.want_write(index, false);
        if let Err(error) = self.queue(index, &[&request]) {
            self.fail(index, Ending::broken(error.code, error.message));
        }
        self.arm(index);
    }

    /// Bytes of the server's answer.
    pub fn dial_readable(&mut self, index: u32, exhaust: bool) {
        let connecting = self.dial(index).is_some_and(|dial| matches!(dial.stage, Stage::Connecting));
        if connecting {
            self.dial_writable(index);
        }
        let mut buffer = self.borrow_buffer();
        while self.read_answer(index, exhaust, &mut buffer) {}
        self.return_buffer(buffer);
    }

    fn read_answer(&mut self, index: u32, exhaust: bool, buffer: &mut [u8]) -> bool {
        let Some(socket) = self.sockets.get(index) else { return false };
        let Phase::Dial(dial) = &socket.phase else { return false };
        let (Stage::Answer(_), Some(stream)) = (&dial.stage, &socket.stream) else { return false };
        match stream.recv(buffer) {
            Ok(0) => {
                self.stream_ended(index);
                false
            }
            Ok(n) => {
                self.feed_answer(index, &buffer[..n]);
                exhaust || n == buffer.len()
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => {
                self.stream_failed(index, &error);
                false
            }
        }
    }

    fn feed_answer(&mut self, index: u32, mut bytes: &[u8]) {
        loop {
            let Some(Dial { stage: Stage::Answer(reader), .. }) = self.dial(index) else { return };
            match reader.push(bytes) {
                Err(refusal) => {
                    return self.fail(index, Ending::broken(ErrorCode::Handshake, refusal.what));
                }
                Ok((_, None)) => return,
                Ok((used, Some(head))) => {
                    bytes = &bytes[used..];
                    if !client::is_interim(head.status) {
                        return self.answered(index, &head, bytes);
                    }
                    *reader = HeadReader::new(HeadLimits::default());
                }
            }
        }
    }

    /// The server's answer is complete; `rest` are the bytes behind it, which may be frames already.
    fn answered(&mut self, index: u32, head: &ResponseHead, rest: &[u8]) {
        let Some(dial) = self.dial(index) else { return };
        let (key, offered) = (dial.key, dial.deflate.take());
        let Some(client) = self.client(index) else { return };
        let rules = offered.as_ref().map(|offered| &offered.rules);
        let answer = match client::check(head, key, &client.plan.protocols, rules) {
            Ok(answer) => answer,
            Err(refused) => {
                if let Refused::Status(status) = refused {
                    client.refused = Some(Refusal { status, retry_after_ms: retry_after(head) });
                }
                let detail = match refused {
                    Refused::Status(status) => format!("HTTP {status}"),
                    Refused::Broken(what) => what,
                };
                return self.fail(index, Ending::broken(ErrorCode::Handshake, detail));
            }
        };
        let now = self.now_ms();
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.phase = Phase::Open;
        socket.heard_ms = now;
        let id = socket.id;
        if !rest.is_empty() {
            socket.extra().rest = rest.to_vec();
        }
        self.read_soon(index);
        if let Some(protocol) = answer.protocol {
            self.set_protocol(index, &protocol);
        }
        if let (Some(agreed), Some(offered)) = (answer.deflate, offered) {
            self.deflate_agreed(index, &agreed, offered);
        }
        self.note_opened(index);
        self.set_ready_state(index, ReadyState::Open);
        self.arm(index);
        self.notices.push_back(Notice::Open { index, id });
    }

    /// The server ended the stream instead of answering.
    pub fn dial_ended(&mut self, index: u32) {
        let detail = "the server ended the connection before it answered";
        self.fail(index, Ending::broken(ErrorCode::Handshake, detail));
    }

    /// A deadline of a connection on its way has passed.
    pub fn dial_due(&mut self, index: u32) {
        let now = self.now_ms();
        let timeout = self.settings_of(index).map_or(OFF, |settings| settings.handshake_timeout_ms);
        let Some(dial) = self.dial(index) else { return };
        if dial.deadline_ms > now {
            return self.dial_next(index, "the address did not answer in its time");
        }
        let what = match dial.stage {
            Stage::Resolving => "the name did not resolve",
            Stage::Connecting => "no connection",
            Stage::Answer(_) => "no answer to the handshake",
        };
        let detail = format!("{what} within {timeout} ms");
        self.fail(index, Ending::broken(ErrorCode::Timeout, detail));
    }
}
