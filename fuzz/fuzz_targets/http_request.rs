//! A whole plain request with its body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws::http::body::BodyReader;
use ws::http::response;
use ws::proto::head::{HeadLimits, HeadReader, RequestHead};

const MAX_BODY: u64 = 4096;

fuzz_target!(|input: &[u8]| {
    let Ok((used, Some(head))) = HeadReader::<RequestHead>::new(HeadLimits::default()).push(input) else {
        return;
    };
    let rest = &input[used..];
    let bodies: Vec<_> = [rest.len().max(1), 1].map(|piece| read(&head, rest, piece)).into();
    assert_eq!(bodies[0], bodies[1], "whole and byte by byte");
    response::keep_alive(&head);
});

/// The body and how many bytes it took, or the status of its refusal.
fn read(head: &RequestHead, bytes: &[u8], piece: usize) -> Result<Option<(Vec<u8>, usize)>, u16> {
    let mut body = BodyReader::new(head, MAX_BODY).map_err(|refusal| refusal.status)?;
    let mut used = 0;
    for chunk in bytes.chunks(piece) {
        if body.is_done() {
            break;
        }
        used += body.push(chunk).map_err(|refusal| refusal.status)?;
    }
    if !body.is_done() {
        return Ok(None);
    }
    let body = body.into_body();
    assert!(body.len() as u64 <= MAX_BODY && body.len() <= used);
    Ok(Some((body, used)))
}
