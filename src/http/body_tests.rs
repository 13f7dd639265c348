use super::*;
use crate::proto::head::{HeadLimits, HeadReader};
use proptest::prelude::*;

const LIMIT: u64 = 20;

fn head(lines: &str) -> RequestHead {
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let mut reader = HeadReader::new(HeadLimits::default());
    reader.push(head.as_bytes()).unwrap().1.unwrap()
}

/// The body and how many bytes it took, None if it is incomplete, or the status of the refusal.
type Read = Result<Option<(Vec<u8>, usize)>, u16>;

fn read(lines: &str, bytes: &[u8], piece: usize) -> Read {
    let mut reader = BodyReader::new(&head(lines), LIMIT).map_err(|refusal| refusal.status)?;
    let mut used = 0;
    for chunk in bytes.chunks(piece) {
        if reader.is_done() {
            break;
        }
        let taken = reader.push(chunk).map_err(|refusal| refusal.status)?;
        assert!(taken == chunk.len() || reader.is_done());
        used += taken;
    }
    Ok(reader.is_done().then(|| (reader.into_body(), used)))
}

fn body(bytes: &[u8], used: usize) -> Read {
    Ok(Some((bytes.to_vec(), used)))
}

#[test]
fn bodies_of_known_length() {
    let rows = [
        ("", "rest", body(b"", 0)),
        ("Content-Length: 0\r\n", "rest", body(b"", 0)),
        ("Content-Length: 5\r\n", "hello, rest", body(b"hello", 5)),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "hello", body(b"hello", 5)),
        ("Content-Length: 5\r\n", "hell", Ok(None)),
        ("Content-Length: 20\r\n", "01234567890123456789x", body(b"01234567890123456789", 20)),
        ("Content-Length: 21\r\n", "", Err(413)),
        ("Content-Length: 18446744073709551615\r\n", "", Err(413)),
    ];
    for (lines, bytes, expected) in rows {
        for piece in [1, 2, 3, 100] {
            assert_eq!(read(lines, bytes.as_bytes(), piece), expected, "{lines:?} {bytes:?}");
        }
    }
}

#[test]
fn chunked_bodies() {
    let rows: &[(&str, Read)] = &[
        ("0\r\n\r\nrest", body(b"", 5)),
        ("5\r\nhello\r\n0\r\n\r\n", body(b"hello", 15)),
        ("0005\r\nhello\r\n3\r\n, w\r\n000\r\n\r\n", body(b"hello, w", 28)),
        ("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", body(b"01234567890123456789", 35)),
        ("5;name=\"v;\"\r\nhello\r\n0;x\r\n\r\n", body(b"hello", 27)),
        ("5\r\nhello\r\n0\r\nTrailer: x\r\nY:\tz\r\n\r\n", body(b"hello", 33)),
        ("5\r\nhello\r\n0\r\n", Ok(None)),
        ("5\r\nhell", Ok(None)),
        // One byte more than the limit, in one chunk, in the second, and in claims that nothing can hold.
        ("15\r\n", Err(413)),
        ("14\r\n01234567890123456789\r\n1\r\n", Err(413)),
        ("FFFFFFFFFFFFFFFF\r\n", Err(413)),
        ("1\r\na\r\nffffffffffffffff\r\n", Err(413)),
        ("10000000000000000\r\n", Err(400)),
        ("00000000000000005\r\nhello\r\n0\r\n\r\n", Err(400)),
        ("\r\n", Err(400)),
        (";x\r\n", Err(400)),
        ("-1\r\n", Err(400)),
        ("+5\r\nhello\r\n0\r\n\r\n", Err(400)),
        ("0x5\r\nhello\r\n0\r\n\r\n", Err(400)),
        (" 5\r\nhello\r\n0\r\n\r\n", Err(400)),
        ("5 \r\nhello\r\n0\r\n\r\n", Err(400)),
        ("5\nhello\n0\n\n", Err(400)),
        ("5\rhello", Err(400)),
        ("5;a\nb\r\nhello", Err(400)),
        ("5;a\rb\r\nhello", Err(400)),
        ("5;\0\r\nhello", Err(400)),
        ("5\r\nhello!\r\n0\r\n\r\n", Err(400)),
        ("5\r\nhello\n0\r\n\r\n", Err(400)),
        ("5\r\nhello\r0\r\n\r\n", Err(400)),
        ("0\r\n\n", Err(400)),
        ("0\r\n\rx", Err(400)),
        ("0\r\nTrailer\n\r\n", Err(400)),
        ("0\r\nTrailer\rx\r\n\r\n", Err(400)),
    ];
    for (bytes, expected) in rows {
        for piece in [1, 2, 3, 5, 100] {
            assert_eq!(
                read("Transfer-Encoding: Chunked\r\n", bytes.as_bytes(), piece),
                *expected,
                "{bytes:?}"
            );
        }
    }
}

#[test]
fn what_is_ignored_is_bounded() {
    let extension = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(8 * 1024));
    assert_eq!(
        read("Transfer-Encoding: chunked\r\n", extension.as_bytes(), 100),
        body(b"hello", extension.len())
    );
    let longer = extension.replace("hello\r\n0", "hello\r\n0;x");
    assert_eq!(read("Transfer-Encoding: chunked\r\n", longer.as_bytes(), 100), Err(431));
    let trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(5_000));
    assert_eq!(read("Transfer-Encoding: chunked\r\n", trailers.as_bytes(), 100), Err(431));
}

#[test]
fn nothing_is_allocated_before_it_arrives() {
    let mut reader = BodyReader::new(&head("Content-Length: 4294967296\r\n"), u64::MAX).unwrap();
    reader.push(b"hello").unwrap();
    assert!(reader.body.capacity() <= 64);
    let mut reader = BodyReader::new(&head("Transfer-Encoding: chunked\r\n"), u64::MAX).unwrap();
    reader.push(b"FFFFFFFFFFFFFFFF\r\nhello").unwrap();
    assert!(reader.body.capacity() <= 64);
}

#[test]
fn continue_is_expected() {
    assert!(expects_continue(&head("Expect: 100-Continue\r\n")));
    assert!(!expects_continue(&head("Expect: x\r\n")));
    assert!(!expects_continue(&head("")));
}

proptest! {
    #[test]
    fn any_chunks_are_survived_and_the_same_in_pieces(
        bytes in "([0-9a-f]|\r\n|\r|\n|;|x|hello|0\r\n\r\n|5\r\n){0,20}",
        piece in 1usize..6,
    ) {
        let lines = "Transfer-Encoding: chunked\r\n";
        prop_assert_eq!(read(lines, bytes.as_bytes(), piece), read(lines, bytes.as_bytes(), 1_000));
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = read("Transfer-Encoding: chunked\r\n", &bytes, 7);
    }
}
