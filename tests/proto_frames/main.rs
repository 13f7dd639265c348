//! The receiving side of a connection, fed with bytes: what it reports, what it refuses, and that no cut matters.

mod cut;
mod limits;
mod oracle;
mod random;
mod support;
mod violations;
