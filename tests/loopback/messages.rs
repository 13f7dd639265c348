use ws::proto::Kind;
use ws::{ConnectOptions, ListenOptions, Settings};

use crate::support::*;

const SIZES: [usize; 9] = [0, 1, 125, 126, 127, 65_535, 65_536, 300_000, 1_000_003];

#[test]
fn messages_of_every_size_go_both_ways() {
    for url in ["ws://127.0.0.1:0", "ws://[::1]:0", "ws+unix:"] {
        let folder = std::env::temp_dir().join(format!("libws-{}", std::process::id()));
        let url = if url == "ws+unix:" { format!("{url}{}", folder.display()) } else { url.to_owned() };
        let event_loop = background();
        let (server, _heard) = reporter(true);
        let listener = event_loop.handle().listen(&url, server, ListenOptions::default()).unwrap();
        let (client, heard) = reporter(false);
        let url = listener.url().unwrap();
        let conn = event_loop.handle().connect(&url, client, ConnectOptions::default()).unwrap();
        assert_eq!(opened(&heard), conn);
        for size in SIZES {
            for kind in [Kind::Text, Kind::Binary] {
                let data = vec![b'a' + (size % 26) as u8; size];
                conn.send(kind, &data).unwrap();
                let heard = next_but_drain(&heard);
                let Heard::Message(heard_kind, echoed) = heard else { panic!("{heard:?}") };
                assert!(heard_kind == kind && echoed == data, "{url}: {size} bytes of {kind:?}");
            }
        }
        conn.close(3001, "bye").unwrap();
        let info = closed(&heard);
        assert_eq!((info.code, info.sent_code, info.reason.as_str()), (3001, 3001, "bye"));
        assert!(info.was_clean && info.was_open && info.error.is_none());
    }
}

#[test]
fn a_hundred_messages_in_one_segment_arrive_in_order() {
    use std::io::Write;
    let event_loop = background();
    let (server, heard) = reporter(true);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let mut peer = raw_client(listener.port().unwrap());
    opened(&heard);
    let segment: Vec<u8> = (0..100u8).flat_map(|n| frame(0x82, &[n])).collect();
    peer.write_all(&segment).unwrap();
    for n in 0..100u8 {
        assert_eq!(read_frame(&mut peer), Some((0x82, vec![n])));
    }
}

#[test]
fn what_the_limits_refuse_is_closed_with_the_right_code() {
    use std::io::Write;
    let settings = Settings { max_message: 1000, max_parts: 5, ..Settings::default() };
    let options = ListenOptions { settings, ..ListenOptions::default() };
    let event_loop = background();
    let (server, heard) = reporter(true);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, options).unwrap();
    let parts: Vec<u8> =
        std::iter::once(frame(0x02, b"a")).chain((0..9).map(|_| frame(0x00, b""))).flatten().collect();
    let cases: [(Vec<u8>, u16); 4] = [
        (frame(0x82, &[0; 1001]), 1009),
        (parts, 1008),
        (frame(0x81, b"\xff"), 1007),
        (frame(0xc2, b"x"), 1002),
    ];
    for (bytes, code) in cases {
        let mut peer = raw_client(listener.port().unwrap());
        opened(&heard);
        peer.write_all(&bytes).unwrap();
        let (first, payload) = read_frame(&mut peer).unwrap();
        assert_eq!((first, &payload[..2]), (0x88, &code.to_be_bytes()[..]));
        let info = closed(&heard);
        assert_eq!((info.code, info.sent_code, info.was_clean), (1006, code, false));
        assert!(info.error.is_some() && !info.detail.is_empty());
        assert_eq!(read_frame(&mut peer), None, "TCP ends after the Close");
    }
}

#[test]
fn pings_are_answered_and_pongs_are_heard() {
    use std::io::Write;
    let event_loop = background();
    let (server, heard) = reporter(true);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let mut peer = raw_client(listener.port().unwrap());
    let conn = opened(&heard);
    peer.write_all(&frame(0x89, b"are you there")).unwrap();
    assert_eq!(read_frame(&mut peer), Some((0x8a, b"are you there".to_vec())));
    conn.ping(b"and you").unwrap();
    assert_eq!(read_frame(&mut peer), Some((0x89, b"and you".to_vec())));
    peer.write_all(&frame(0x8a, b"and you")).unwrap();
    let Heard::Pong(data) = next(&heard) else { panic!("no pong") };
    assert_eq!(data, b"and you");
    assert!(conn.ping(&[0; 126]).is_err());
}
