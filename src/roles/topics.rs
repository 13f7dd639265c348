//! Topics: one message to many connections, framed once.

use std::collections::HashMap;
use std::sync::Arc;

use super::core::{Core, NONE, Phase};
use super::handles::Conn;
use super::write::{Form, not_open, opcode};
use crate::error::{Error, ErrorCode, Result};
use crate::event_loop::slab::Slab;
use crate::proto::Role;
use crate::proto::close as codes;
use crate::proto::frame::{self, Opcode};

/// A topic's name in bytes, at most.
pub const MAX_NAME: usize = 1024;

/// The topics of a loop. A topic exists while it has a subscriber.
#[derive(Default)]
pub struct Topics {
    by_name: HashMap<Arc<str>, u32>,
    topics: Slab<Topic>,
    /// Whom the publish that is under way sends to; kept for its memory.
    members: Vec<u32>,
}

struct Topic {
    name: Arc<str>,
    /// Sockets, each with the place of this topic in its own list.
    members: Vec<u32>,
}

/// A subscription as the socket remembers it.
#[derive(Clone, Copy)]
pub struct Subscription {
    topic: u32,
    /// Where the socket stands in the topic's list.
    place: u32,
}

/// Checks a topic's name.
pub fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(Error::invalid(format!(
            "a topic's name has 1 to {MAX_NAME} bytes, this one {}",
            name.len()
        )));
    }
    Ok(())
}

impl Core {
    /// Subscribes an open connection; twice is the same as once.
    pub fn subscribe(&mut self, index: u32, name: &str) -> Result<()> {
        let Some(socket) = self.sockets.get_mut(index) else { return Err(Error::gone()) };
        if !matches!(socket.phase, Phase::Open) {
            return Err(not_open(&socket.phase));
        }
        let topic = self.topics.find_or_make(name);
        let subscriptions = &mut socket.extra().topics;
        if subscriptions.iter().any(|subscription| subscription.topic == topic) {
            return Ok(());
        }
        let Some(entry) = self.topics.topics.get_mut(topic) else { return Err(Error::gone()) };
        subscriptions.push(Subscription { topic, place: entry.members.len() as u32 });
        entry.members.push(index);
        Ok(())
    }

    /// Ends a subscription; none is fine too.
    pub fn unsubscribe(&mut self, index: u32, name: &str) -> Result<()> {
        let Some(socket) = self.sockets.get_mut(index) else { return Err(Error::gone()) };
        let Some(&topic) = self.topics.by_name.get(name) else { return Ok(()) };
        let Some(extra) = socket.extra.as_mut() else { return Ok(()) };
        if let Some(at) = extra.topics.iter().position(|subscription| subscription.topic == topic) {
            let subscription = extra.topics.swap_remove(at);
            self.leave_topic(subscription);
        }
        Ok(())
    }

    /// Ends all subscriptions of a connection that closes.
    pub fn leave_topics(&mut self, index: u32) {
        let Some(extra) = self.sockets.get_mut(index).and_then(|socket| socket.extra.as_mut()) else {
            return;
        };
        for subscription in std::mem::take(&mut extra.topics) {
            self.leave_topic(subscription);
        }
    }

    fn leave_topic(&mut self, gone: Subscription) {
        let Some(topic) = self.topics.topics.get_mut(gone.topic) else { return };
        topic.members.swap_remove(gone.place as usize);
        match topic.members.get(gone.place as usize) {
            Some(&moved) => self.note_move(moved, gone),
            None if topic.members.is_empty() => self.topics.remove(gone.topic),
            None => {}
        }
    }

    /// The last member took the place of the one that left.
    fn note_move(&mut self, member: u32, to: Subscription) {
        let extra = self.sockets.get_mut(member).and_then(|socket| socket.extra.as_mut());
        for subscription in extra.into_iter().flat_map(|extra| &mut extra.topics) {
            if subscription.topic == to.topic {
                subscription.place = to.place;
            }
        }
    }

    /// Sends to every subscriber but `except` (a socket, or [`NONE`]); returns how many it reached.
    pub fn publish(&mut self, name: &str, except: u32, form: Form, data: &[u8]) -> Result<usize> {
        let Some(&topic) = self.topics.by_name.get(name) else { return Ok(0) };
        let mut frames = Frames::new(form, data)?;
        let mut reached = 0;
        // A copy: a member whose stream turns out to be broken leaves the list meanwhile.
        let mut members = std::mem::take(&mut self.topics.members);
        members.extend(self.topics.topics.get(topic).into_iter().flat_map(|topic| &topic.members));
        for member in members.drain(..).filter(|&member| member != except) {
            match self.send_shared(member, &mut frames) {
                Ok(()) => reached += 1,
                Err(error) if error.code == ErrorCode::Full => self.too_slow(member),
                Err(_) => {}
            }
        }
        self.topics.members = members;
        Ok(reached)
    }

    /// The socket that a publisher leaves out.
    pub fn except(&self, conn: Option<Conn>) -> u32 {
        conn.and_then(|conn| self.index_of(conn.raw()).ok()).unwrap_or(NONE)
    }

    fn send_shared(&mut self, index: u32, frames: &mut Frames<'_>) -> Result<()> {
        if self.is_full(index) {
            return Err(Error::new(ErrorCode::Full, "max_buffered is reached"));
        }
        match self.sockets.get(index) {
            Some(socket) if !matches!(socket.phase, Phase::Open) => return Err(not_open(&socket.phase)),
            // A client masks each frame by itself.
            Some(socket) if socket.role() == Role::Client => {
                self.send_data(index, frames.form, frames.data)?
            }
            Some(socket) if socket.flags.deflate && frames.form.compress => {
                let frame = self.frame_for(index, frames)?;
                self.queue_shared(index, &frame);
            }
            Some(_) => self.queue_shared(index, &frames.plain),
            None => return Err(Error::gone()),
        }
        self.after_send(index);
        Ok(())
    }

    /// The frame for a connection that compresses: the one of its parameters, made when first needed.
    fn frame_for(&mut self, index: u32, frames: &mut Frames<'_>) -> Result<Arc<[u8]>> {
        let Some(params) = self.topic_params(index, frames.data.len()) else {
            return Ok(frames.plain.clone());
        };
        if let Some((_, frame)) = frames.compressed.iter().find(|(known, _)| *known == params) {
            return Ok(frame.clone());
        }
        let frame = match self.deflate_for_topic(params, frames.data) {
            Some(out) => {
                let frame = shared_frame(true, opcode(frames.form.kind), out.as_slice());
                self.return_output(out);
                frame?
            }
            None => frames.plain.clone(),
        };
        frames.compressed.push((params, frame.clone()));
        Ok(frame)
    }

    fn too_slow(&mut self, index: u32) {
        let Some(settings) = self.settings_of(index) else { return };
        if !settings.publish_skips {
            let detail = "a subscriber did not keep up: max_buffered is reached";
            self.end_with(index, codes::TRY_AGAIN, ErrorCode::Full, detail);
        }
    }
}

/// A level and a window.
type Params = (u8, u8);

/// One message in every form in which it goes to the subscribers of a topic.
struct Frames<'a> {
    form: Form,
    data: &'a [u8],
    plain: Arc<[u8]>,
    compressed: Vec<(Params, Arc<[u8]>)>,
}

impl Frames<'_> {
    fn new(form: Form, data: &[u8]) -> Result<Frames<'_>> {
        let plain = shared_frame(false, opcode(form.kind), data)?;
        Ok(Frames { form, data, plain, compressed: Vec::new() })
    }
}

fn shared_frame(rsv1: bool, opcode: Opcode, data: &[u8]) -> Result<Arc<[u8]>> {
    let header = frame::header(true, rsv1, opcode, data.len() as u64, None);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(header.len() + data.len()).map_err(|_| Error::no_memory())?;
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(data);
    Ok(bytes.into())
}

impl Topics {
    fn find_or_make(&mut self, name: &str) -> u32 {
        if let Some(&topic) = self.by_name.get(name) {
            return topic;
        }
        let name: Arc<str> = name.into();
        let topic = self.topics.insert(Topic { name: name.clone(), members: Vec::new() });
        self.by_name.insert(name, topic);
        topic
    }

    fn remove(&mut self, topic: u32) {
        if let Some(topic) = self.topics.remove(topic) {
            self.by_name.remove(&topic.name);
        }
    }
}
