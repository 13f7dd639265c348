//! Listeners: made, asked, closed.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::core::{Core, Owner};
use super::handler::Handler;
use super::notices::Notice;
use super::requests::Headers;
use super::settings::{ListenOptions, OFF, Settings};
use crate::error::{Error, ErrorCode, Result};
use crate::event_loop::ids::{self, IdKind};
use crate::event_loop::poller::Target;
use crate::http::static_files::StaticRoot;
use crate::net::listen::{ListenConfig, Listener};
use crate::proto::conn::Limits;
use crate::proto::handshake::client::parse_protocols;
use crate::proto::handshake::origin::{HostRule, OriginRule};
use crate::proto::handshake::{headers, server::Rules};
use crate::proto::head::HeadLimits;
use crate::proto::url::{Endpoint, Url};

/// Descriptors that a listener leaves to the rest of the process.
const RESERVED_DESCRIPTORS: u64 = 64;

/// The listening side of an [`Owner`].
pub struct Server {
    pub id: u64,
    /// None once the listener is closed.
    pub net: Option<Listener>,
    pub url: String,
    pub port: u16,
    pub rules: Rules,
    pub headers: Headers,
    pub static_root: Option<StaticRoot>,
    pub head_limits: HeadLimits,
    pub max_connections: u32,
    pub max_body: u32,
    pub keep_alive_ms: u32,
    /// It has run out of descriptors, and a timer will try again.
    pub resting: bool,
}

impl Limits {
    /// The part of the settings that the protocol needs.
    fn of(settings: &Settings) -> Limits {
        let max_message =
            if settings.max_message == OFF { u64::MAX } else { u64::from(settings.max_message) };
        Limits { max_message, max_parts: settings.max_parts }
    }
}

impl Owner {
    /// An owner without sockets.
    pub fn new(
        handler: Box<dyn Handler>,
        user: usize,
        settings: Settings,
        server: Option<Box<Server>>,
    ) -> Owner {
        let limits = Limits::of(&settings);
        let takes_requests = handler.takes_requests();
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        Owner {
            serial: SERIAL.fetch_add(1, Relaxed),
            takes_requests,
            handler: Some(handler),
            settings,
            limits,
            user,
            live: 0,
            server,
            client: None,
        }
    }
}

/// Binds and checks everything; touches no loop, so the caller's thread does it.
fn prepare(url: &str, mut options: ListenOptions) -> Result<(Server, Settings)> {
    options.settings.check()?;
    let url = Url::parse(url).map_err(|what| Error::new(ErrorCode::Address, what))?;
    if url.target != "/" {
        return Err(Error::new(ErrorCode::Address, "a listener's URL has no path: use the `path` option"));
    }
    let extra = options.headers.as_deref().map_or(Ok(Vec::new()), headers::parse).map_err(Error::invalid)?;
    let protocols = options.protocols.as_deref().map_or(Ok(Vec::new()), parse_protocols);
    let protocols = protocols.map_err(Error::invalid)?;
    let origins = OriginRule::parse(options.origins.as_deref()).map_err(Error::invalid)?;
    // What the rule will be depends on the address; that it is one shows before anything is bound.
    HostRule::parse(options.hosts.as_deref(), false).map_err(Error::invalid)?;
    let static_root = match options.static_root.as_deref() {
        Some(folder) => {
            Some(StaticRoot::open(folder).map_err(|e| Error::io(format!("static_root {folder:?}"), &e))?)
        }
        None => None,
    };
    if let Some(path) = options.path.as_deref().filter(|path| !path.starts_with('/')) {
        return Err(Error::invalid(format!("path {path:?} does not begin with a slash")));
    }
    let (net, shown_url) = match options.inherited.take() {
        Some(fd) => {
            let net = Listener::from_fd(fd).map_err(|error| Error::io("the inherited socket", &error))?;
            let shown = inherited_url(&net);
            (net, shown)
        }
        None => {
            let config = ListenConfig { backlog: options.backlog, reuse_port: options.reuse_port };
            let net = bind(&url.endpoint, &config)?;
            let shown = listening_url(&url.endpoint, net.local_port());
            (net, shown)
        }
    };
    let hosts = HostRule::parse(options.hosts.as_deref(), net.is_loopback()).map_err(Error::invalid)?;
    let rules = Rules { path: options.path, protocols, origins, hosts };
    let port = net.local_port();
    let server = Server {
        id: 0,
        url: shown_url,
        net: Some(net),
        port,
        rules,
        headers: extra,
        static_root,
        head_limits: HeadLimits::default(),
        max_connections: options.max_connections.unwrap_or_else(default_max_connections),
        max_body: options.max_body,
        keep_alive_ms: options.keep_alive_ms,
        resting: false,
    };
    Ok((server, options.settings))
}

/// The descriptor limit, less what the rest of the process needs.
fn default_max_connections() -> u32 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    limit.saturating_sub(RESERVED_DESCRIPTORS).clamp(1, u64::from(u32::MAX)) as u32
}

fn listening_url(endpoint: &Endpoint, port: u16) -> String {
    match endpoint {
        Endpoint::Tcp { host, .. } if host.contains(':') => format!("ws://[{host}]:{port}"),
        Endpoint::Tcp { host, .. } => format!("ws://{host}:{port}"),
        Endpoint::Unix(path) => format!("ws+unix:{}", path.display()),
    }
}

fn inherited_url(net: &Listener) -> String {
    match (net.local_addr(), net.unix_path()) {
        (Some(address), _) => format!("ws://{address}"),
        (None, Some(path)) => format!("ws+unix:{}", path.display()),
        (None, None) => "ws+unix:".into(),
    }
}

fn bind(endpoint: &Endpoint, config: &ListenConfig) -> Result<Listener> {
    match endpoint {
        Endpoint::Unix(path) => {
            Listener::bind_unix(path, config).map_err(|e| Error::io(format!("bind {}", path.display()), &e))
        }
        Endpoint::Tcp { host, port } => {
            let address = first_address(host, *port)?;
            Listener::bind_tcp(address, config).map_err(|e| Error::io(format!("bind {address}"), &e))
        }
    }
}

/// A listener's host is an address or a local name such as "localhost": looked up at once.
fn first_address(host: &str, port: u16) -> Result<SocketAddr> {
    let failed = |what: String| Error::new(ErrorCode::Address, format!("{host}: {what}"));
    let mut found = (host, port).to_socket_addrs().map_err(|error| failed(error.to_string()))?;
    found.next().ok_or_else(|| failed("the name has no address".into()))
}

/// Listens on `url` and gives the connections to `handler`.
pub fn listen(
    loop_id: u64,
    url: &str,
    handler: Box<dyn Handler>,
    user: usize,
    options: ListenOptions,
) -> Result<u64> {
    ids::lookup(loop_id, IdKind::Loop).ok_or(Error::gone())?;
    let (server, settings) = prepare(url, options)?;
    let owner = Owner::new(handler, user, settings, Some(Box::new(server)));
    super::shared::call(loop_id, move |core| core.add_listener(owner))?
}

impl Core {
    fn add_listener(&mut self, owner: Owner) -> Result<u64> {
        if self.shared.is_ending() {
            // Dropping a handler runs the application's code: not inside this borrow.
            self.notices.push_back(Notice::Run(Box::new(move || drop(owner))));
            return Err(Error::gone());
        }
        let user = owner.user;
        let index = self.owners.insert(owner);
        let Some((id, entry)) = ids::allocate(IdKind::Listener, self.shared.id, index) else {
            self.retire_owner(index);
            return Err(Error::new(ErrorCode::NoMem, "no listener id is free"));
        };
        entry.user.store(user, std::sync::atomic::Ordering::Relaxed);
        let Some(server) = self.owners.get_mut(index).and_then(|owner| owner.server.as_deref_mut()) else {
            return Err(Error::gone());
        };
        server.id = id;
        if let Some(net) = &mut server.net {
            if let Err(error) = self.poller.watch(net, Target::Listener(index), false, false) {
                ids::release(id);
                self.retire_owner(index);
                return Err(Error::io("watching the listener", &error));
            }
        }
        Ok(id)
    }

    /// Asks a live listener.
    pub fn server(&self, id: u64) -> Result<&Server> {
        let index = ids::lookup(id, IdKind::Listener)
            .ok_or(Error::gone())?
            .local
            .load(std::sync::atomic::Ordering::Relaxed);
        let server = self.owners.get(index).and_then(|owner| owner.server.as_deref());
        server.filter(|server| server.id == id).ok_or(Error::gone())
    }

    /// Stops listening. Open connections live on; `on_listener_close` follows the last of them.
    pub fn close_listener(&mut self, id: u64) -> Result<()> {
        self.server(id)?;
        let Some(entry) = ids::lookup(id, IdKind::Listener) else { return Err(Error::gone()) };
        let index = entry.local.load(std::sync::atomic::Ordering::Relaxed);
        ids::release(id);
        self.shut_listener(index);
        self.close_idle_http(index);
        if self.owners.get(index).is_some_and(|owner| owner.live == 0) && !self.listener_close_is_due(index) {
            self.notices.push_back(Notice::ListenerClose { owner: index });
        }
        Ok(())
    }

    fn listener_close_is_due(&self, index: u32) -> bool {
        self.notices.iter().any(|notice| matches!(notice, Notice::ListenerClose { owner } if *owner == index))
    }

    fn shut_listener(&mut self, index: u32) {
        let Some(server) = self.owners.get_mut(index).and_then(|owner| owner.server.as_deref_mut()) else {
            return;
        };
        if let Some(mut net) = server.net.take() {
            self.poller.forget(&mut net);
        }
    }

    /// Stops listening everywhere, because the loop is freed.
    pub fn close_listeners(&mut self) {
        let ids: Vec<u64> = self
            .owners
            .keys()
            .filter_map(|index| Some(self.owners.get(index)?.server.as_ref()?.id))
            .collect();
        for id in ids {
            // Only GONE is possible: it was closed before.
            let _ = self.close_listener(id);
        }
    }
}
