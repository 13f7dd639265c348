//! What a connection holds between reads: the frame whose payload is arriving and the message it belongs to.

use super::Kind;
use super::close::{self, Violation};
use super::deflate::inflate::Receiver;
use super::event::{Data, Event};
use super::frame::{Head, Opcode};
use super::message::{Frame, Message, NOT_UTF8, append_control};
use super::utf8;

/// A frame or a message that is not complete. Between two fragments there is a message and no frame; a control frame
/// may come there and is then held beside the message.
#[derive(Debug)]
pub(super) struct Assembly {
    pub since_ms: u64,
    pub frame: Option<Frame>,
    pub message: Option<Message>,
    control: Vec<u8>,
}

impl Assembly {
    pub fn new(since_ms: u64) -> Assembly {
        Assembly { since_ms, frame: None, message: None, control: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.frame.is_none() && self.message.is_none()
    }

    /// Bytes of payload held.
    pub fn arrived(&self) -> u64 {
        let message = self.message.as_ref().map_or(0, Message::arrived);
        message + self.control.len() as u64
    }

    /// Begins the frame of this header, and its message if it is the first.
    pub fn begin(&mut self, head: &Head) {
        self.frame = Some(Frame::new(head));
        match head.opcode {
            Opcode::Text => self.message = Some(Message::new(Kind::Text, head.rsv1)),
            Opcode::Binary => self.message = Some(Message::new(Kind::Binary, head.rsv1)),
            Opcode::Continuation => {
                if let Some(message) = &mut self.message {
                    message.parts = message.parts.saturating_add(1);
                }
            }
            Opcode::Close | Opcode::Ping | Opcode::Pong => {}
        }
    }

    /// The message and its frame, when at least `least` bytes of the frame are still to come as they are, and some of the
    /// message are here: a header alone is no reason to make room.
    pub fn long_frame(&mut self, least: u64) -> Option<(&mut Message, &Frame)> {
        let frame = self.frame.as_ref()?;
        if frame.opcode.is_control() || frame.to_come < least {
            return None;
        }
        let message =
            self.message.as_mut().filter(|message| !message.is_compressed() && !message.bytes.is_empty())?;
        Some((message, frame))
    }

    /// Takes what `rest` holds of the frame's payload; returns how much that was, and the event it completes. `most`:
    /// bytes that a compressed message may inflate to.
    pub fn receive(
        &mut self,
        rest: &mut [u8],
        mut receiver: Option<&mut Receiver>,
        most: usize,
    ) -> Result<(usize, Option<Event>), Violation> {
        let Some(frame) = &mut self.frame else { return Ok((0, None)) };
        let used = usize::try_from(frame.to_come).unwrap_or(usize::MAX).min(rest.len());
        let piece = &mut rest[..used];
        frame.take(piece);
        match &mut self.message {
            Some(message) if !frame.opcode.is_control() => {
                message.append(piece, frame, receiver.as_deref_mut(), most)?;
            }
            _ => append_control(&mut self.control, piece, frame)?,
        }
        Ok((used, self.complete(receiver, most)?))
    }

    /// Counts `n` bytes that were read straight into the message's buffer.
    pub fn filled(&mut self, n: usize) -> Result<Option<Event>, Violation> {
        if let (Some(frame), Some(message)) = (&mut self.frame, &mut self.message) {
            message.filled(n, frame)?;
        }
        // Compressed messages are not read straight into their buffers.
        self.complete(None, 0)
    }

    /// Ends the frame if its payload is all there, and returns what it completes.
    fn complete(&mut self, receiver: Option<&mut Receiver>, most: usize) -> Result<Option<Event>, Violation> {
        let Some(frame) = self.frame.take_if(|frame| frame.to_come == 0) else { return Ok(None) };
        if frame.opcode.is_control() {
            let bytes = std::mem::take(&mut self.control);
            return report(frame.opcode, &[], Data::Collected(bytes)).map(Some);
        }
        match self.message.take_if(|_| frame.fin) {
            Some(message) => {
                let (kind, data) = message.finish(receiver, most)?;
                Ok(Some(Event::Message { kind, data }))
            }
            None => Ok(Some(Event::Fragment)),
        }
    }
}

/// The event of a complete unfragmented frame with this payload, which may lie in `buf`.
pub(super) fn report(opcode: Opcode, buf: &[u8], data: Data) -> Result<Event, Violation> {
    Ok(match opcode {
        Opcode::Close => {
            let (code, _) = close::parse(data.as_slice(buf))?;
            Event::Close { code, reason: data.skip(2) }
        }
        Opcode::Ping => Event::Ping(data),
        Opcode::Pong => Event::Pong(data),
        Opcode::Text if !utf8::is_valid(data.as_slice(buf)) => return Err(NOT_UTF8),
        Opcode::Text => Event::Message { kind: Kind::Text, data },
        Opcode::Binary | Opcode::Continuation => Event::Message { kind: Kind::Binary, data },
    })
}
