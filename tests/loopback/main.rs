//! Both roles against each other, and against raw sockets, over real loopback connections.

mod backpressure;
mod close;
mod deadlines;
mod deflate;
mod forks;
mod messages;
mod proxy;
mod reconnect;
mod regressions;
mod replies;
mod support;
mod threads;
mod topics;
mod turns;
