//! Under which addresses this computer is reached.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// The address that others use for a listener: its own, or, when it listens on every interface, the one that leads to
/// the rest of the world.
pub fn reachable(listening: SocketAddr) -> IpAddr {
    if !listening.ip().is_unspecified() {
        return listening.ip();
    }
    outward().or_else(first_interface).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Connecting a datagram socket sends nothing; it only asks the routing table. The address is one for documentation.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified() && !ip.is_loopback()).then_some(ip)
}

fn first_interface() -> Option<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    interfaces.iter().map(if_addrs::Interface::ip).find(|ip| ip.is_ipv4() && !ip.is_loopback())
}

/// The values of Host that a listener answers to, as libws takes them: the addresses that it is bound to, the names of
/// the computer itself, and `extra` ones that the user knows of ("notes.example").
pub fn hosts(listening: SocketAddr, extra: &[String]) -> String {
    let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
    if listening.ip().is_unspecified() {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        hosts.extend(interfaces.iter().map(|interface| bracketed(interface.ip())));
        hosts.extend(outward().map(bracketed));
    } else {
        hosts.push(bracketed(listening.ip()));
    }
    hosts.extend(extra.iter().cloned());
    hosts.sort();
    hosts.dedup();
    hosts.join(", ")
}

fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_its_own_is_used() {
        let address = "127.0.0.1:80".parse().unwrap();
        assert_eq!(reachable(address), address.ip());
        assert_eq!(hosts(address, &["notes.example".into()]), "127.0.0.1, [::1], localhost, notes.example");
    }

    #[test]
    fn every_interface_means_a_real_address() {
        let address: SocketAddr = "0.0.0.0:80".parse().unwrap();
        let reached = reachable(address);
        assert!(!reached.is_unspecified());
        assert!(hosts(address, &[]).split(", ").any(|host| host == bracketed(reached)));
    }
}
