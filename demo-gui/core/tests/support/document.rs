//! Documents as a note has them.

use notes_core::wire::TEXT;
use yrs::block::ClientID;
use yrs::{Doc, GetString, OffsetKind, Options, Transact};

/// An empty note of this client.
pub fn document(client: u64) -> Doc {
    let mut options = Options::with_client_id(ClientID::new(client));
    options.offset_kind = OffsetKind::Bytes;
    let doc = Doc::with_options(options);
    doc.get_or_insert_text(TEXT);
    doc
}

pub fn text_of(doc: &Doc) -> String {
    let text = doc.get_or_insert_text(TEXT);
    text.get_string(&doc.transact())
}
