//! The event loop and its listeners. There is none before somebody shares or joins a note.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crossbeam_channel::Sender;
use ws::{Handle, ListenOptions, Listener, Loop, LoopOptions, Settings};

use super::Net;
use super::guest::Guests;
use crate::share::{SUBPROTOCOL, address};
use crate::wire::MAX_UPDATE;

/// Connections and requests of one listener at one time.
const MAX_CONNECTIONS: u32 = 512;

/// A listening socket.
#[derive(Debug)]
struct Door {
    number: u32,
    /// What was asked for.
    wanted: SocketAddr,
    /// What became of it: the port is real.
    address: SocketAddr,
    hosts: String,
    listener: Listener,
}

/// Everything that has a descriptor.
pub struct Network {
    hub: Sender<Net>,
    event_loop: Option<Loop>,
    doors: Vec<Door>,
    next: u32,
    /// Of the options: 0 is any.
    port: u16,
    /// Further names under which this computer is known.
    hosts: Vec<String>,
}

impl Network {
    /// Listens nowhere.
    pub fn new(hub: Sender<Net>, port: u16, hosts: Vec<String>) -> Network {
        Network { hub, event_loop: None, doors: Vec::new(), next: 1, port, hosts }
    }

    /// Where to post and connect.
    pub fn handle(&mut self) -> ws::Result<Handle> {
        if self.event_loop.is_none() {
            let event_loop = Loop::new(LoopOptions::default())?;
            event_loop.start()?;
            self.event_loop = Some(event_loop);
        }
        Ok(self.event_loop.as_ref().map_or(Handle::from_raw(0), Loop::handle))
    }

    /// What dials and listens posts here.
    pub fn hub(&self) -> Sender<Net> {
        self.hub.clone()
    }

    /// A door at this address, opened if need be: its number and real address. None: every interface.
    pub fn open_door(&mut self, wanted: Option<SocketAddr>) -> ws::Result<(u32, SocketAddr)> {
        let wanted = wanted.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), self.port));
        let hosts = address::hosts(wanted, &self.hosts);
        let known = self.doors.iter().position(|door| door.wanted == wanted || door.address == wanted);
        if let Some(index) = known {
            if self.doors[index].hosts != hosts {
                self.renew(index, hosts)?;
            }
            let door = &self.doors[index];
            return Ok((door.number, door.address));
        }
        let number = self.next;
        self.next += 1;
        let listener = self.listen(number, wanted, hosts.clone())?;
        let address = SocketAddr::new(wanted.ip(), listener.port()?);
        self.doors.push(Door { number, wanted, address, hosts, listener });
        Ok((number, address))
    }

    /// The computer has other addresses than it had: the rule for Host follows. Connections live on.
    fn renew(&mut self, index: usize, hosts: String) -> ws::Result<()> {
        let (number, address) = (self.doors[index].number, self.doors[index].address);
        self.doors[index].listener.close()?;
        match self.listen(number, address, hosts.clone()) {
            Ok(listener) => {
                self.doors[index].listener = listener;
                self.doors[index].hosts = hosts;
                Ok(())
            }
            Err(error) => {
                self.doors.remove(index);
                Err(error)
            }
        }
    }

    fn listen(&mut self, number: u32, address: SocketAddr, hosts: String) -> ws::Result<Listener> {
        let options = ListenOptions {
            settings: Settings { max_message: MAX_UPDATE as u32 + 64, ..Settings::default() },
            protocols: Some(SUBPROTOCOL.into()),
            hosts: Some(hosts),
            max_connections: Some(MAX_CONNECTIONS),
            max_body: 0,
            ..ListenOptions::default()
        };
        let guests = Guests::new(number, self.hub.clone());
        self.handle()?.listen(&format!("ws://{address}"), guests, options)
    }

    /// Closes everything; every connection is told.
    pub fn close(&mut self) {
        self.doors.clear();
        self.event_loop = None;
    }

    /// Closes every door through which no note is shared any more.
    pub fn close_doors_but(&mut self, used: &[u32]) {
        self.doors.retain(|door| {
            let keep = used.contains(&door.number);
            if !keep {
                // It can only fail because the listener is closed already.
                let _ = door.listener.close();
            }
            keep
        });
    }
}
