//! What both head targets do: a head gives the same verdict whole and byte by byte.

use std::fmt::Debug;

use ws::proto::head::{Head, HeadLimits, HeadReader};

/// The head with how many bytes it took, or the status of its refusal.
pub fn check<H: Head>(input: &[u8], describe: impl Fn(&H) -> String) -> Option<H> {
    let mut whole = HeadReader::<H>::new(HeadLimits::default());
    let mut bytewise = HeadReader::<H>::new(HeadLimits::default());
    let at_once = whole.push(input);
    let mut piece_by_piece = Ok((input.len(), None));
    for (at, byte) in input.iter().enumerate() {
        match bytewise.push(std::slice::from_ref(byte)) {
            Ok((_, None)) => {}
            Ok((_, head)) => {
                piece_by_piece = Ok((at + 1, head));
                break;
            }
            Err(refusal) => {
                piece_by_piece = Err(refusal);
                break;
            }
        }
    }
    same(
        &at_once.as_ref().map(|(used, head)| (*used, head.as_ref().map(&describe))).map_err(|r| r.status),
        &piece_by_piece
            .as_ref()
            .map(|(used, head)| (*used, head.as_ref().map(&describe)))
            .map_err(|r| r.status),
    );
    at_once.ok().and_then(|(_, head)| head)
}

fn same<T: PartialEq + Debug>(left: &T, right: &T) {
    assert_eq!(left, right);
}
