//! Ports for programs that are about to be started.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Below the ports that systems give to connections by themselves.
const RANGE: std::ops::Range<u16> = 20_000..30_000;
/// How many ports are tried for each that is wanted.
const TRIES: usize = 1_000;

/// Free ports of loopback, each another. No connection of anybody takes one before the program listens there, as could
/// happen to a port that the system has given.
///
/// # Errors
/// [`io::ErrorKind::AddrInUse`] when none is free.
pub fn free<const COUNT: usize>() -> io::Result<[SocketAddr; COUNT]> {
    let mut held = Vec::new();
    for _ in 0..COUNT * TRIES {
        if held.len() == COUNT {
            break;
        }
        held.extend(TcpListener::bind((Ipv4Addr::LOCALHOST, rand::random_range(RANGE))).ok());
    }
    let addresses = held.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
    addresses.try_into().map_err(|_| io::Error::from(io::ErrorKind::AddrInUse))
}

#[cfg(test)]
mod tests {
    #[test]
    fn ports_are_free_and_each_is_another() {
        let ports = super::free::<4>().unwrap();
        let different: std::collections::BTreeSet<_> = ports.iter().collect();
        assert_eq!(different.len(), 4);
        assert!(ports.iter().all(|address| super::RANGE.contains(&address.port())));
        assert!(ports.iter().all(|address| std::net::TcpListener::bind(address).is_ok()));
    }
}
