//! Which addresses a flow may reach: public ones, and what its own allow-list names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Hosts and ports that a flow may reach although their addresses are not public.
#[derive(Clone, Debug, Default)]
pub struct AllowList(Vec<(String, Option<u16>)>);

impl AllowList {
    /// The list of these texts, `HOST:PORT` or `HOST:*` each; an IPv6 address stands in brackets.
    ///
    /// # Errors
    ///
    /// The first text that is no such pair.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let pair = |entry: &String| {
            let (host, port) = entry.rsplit_once(':').filter(|(host, _)| !host.is_empty())?;
            let port = if port == "*" { None } else { Some(port.parse().ok()?) };
            Some((host.to_ascii_lowercase(), port))
        };
        let pairs = entries.iter().map(|entry| pair(entry).ok_or_else(|| entry.clone()));
        Ok(Self(pairs.collect::<Result<_, _>>()?))
    }

    /// Every port of this machine, by the names of loopback: for tests of flows.
    pub fn loopback() -> Self {
        Self(["127.0.0.1", "[::1]", "localhost"].map(|host| (host.to_owned(), None)).into())
    }

    /// Whether this host and port are named.
    pub(super) fn names(&self, host: &str, port: u16) -> bool {
        self.0.iter().any(|(named, at)| at.is_none_or(|at| at == port) && named.eq_ignore_ascii_case(host))
    }
}

/// Keeps the addresses that may be connected to.
///
/// The test is on the very address that is connected to afterwards, never on a name: a name can resolve to something
/// else a moment later (security contract, section 9).
pub(super) fn reachable(
    mut found: Vec<SocketAddr>,
    allowed_by_name: bool,
    is_own: impl Fn(SocketAddr) -> bool,
) -> Vec<SocketAddr> {
    found.retain(|address| allowed_by_name || (is_public(address.ip()) && !is_own(*address)));
    found
}

/// Whether an address belongs to this machine, so that one of our own listeners may stand behind it: whoever speaks to
/// itself does so from the address that it speaks to. Nothing is sent to find that out.
pub(super) fn is_own(address: SocketAddr) -> bool {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| socket.connect(address).and_then(|()| socket.local_addr()));
    from.is_ok_and(|from| from.ip() == address.ip())
}

/// Whether an address is on the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmarking = a == 198 && (18..20).contains(&b);
    let protocol_assignments = (a, b, c) == (192, 0, 0);
    let relays_6to4 = (a, b, c) == (192, 88, 99);
    !(a == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a >= 240
        || shared
        || benchmarking
        || protocol_assignments
        || relays_6to4)
}

/// Only global unicast (2000::/3) without the ranges that wrap, tunnel or document other addresses.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let global_unicast = segments[0] & 0xe000 == 0x2000;
    let teredo_and_assignments = segments[0] == 0x2001 && segments[1] < 0x0200;
    let documentation = (segments[0] == 0x2001 && segments[1] == 0x0db8) || segments[0] & 0xfff0 == 0x3ff0;
    let tunnel_6to4 = segments[0] == 0x2002;
    global_unicast && !teredo_and_assignments && !documentation && !tunnel_6to4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_are_not_public() {
        for inner in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!is_public(inner.parse().unwrap()), "{inner}");
        }
    }

    #[test]
    fn public_addresses_are() {
        for public in
            ["1.1.1.1", "8.8.8.8", "100.63.0.1", "172.32.0.1", "223.255.255.1", "2606:4700::1", "2a00:1450::1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_list_names_host_and_port_together() {
        let list = |entries: &[&str]| AllowList::parse(&entries.iter().map(|&entry| entry.into()).collect::<Vec<_>>());
        let named = list(&["Inner.Example:8443", "[::1]:9", "10.0.0.1:*"]).unwrap();
        assert!(named.names("inner.example", 8443) && named.names("[::1]", 9) && named.names("10.0.0.1", 1));
        assert!(
            !named.names("inner.example", 443) && !named.names("other.example", 8443) && !named.names("10.0.0.2", 1)
        );
        for wrong in ["inner.example", ":80", "a:99999", "a:", ""] {
            assert_eq!(list(&["b:1", wrong]).unwrap_err(), wrong);
        }
    }

    #[test]
    fn our_own_listeners_stay_out_of_reach_on_public_addresses_too() {
        let own: SocketAddr = "1.1.1.1:8080".parse().unwrap();
        let other: SocketAddr = "1.1.1.2:443".parse().unwrap();
        let is_own = |address| address == own;
        assert_eq!(reachable(vec![own, other], false, is_own), [other]);
        assert_eq!(reachable(vec![own, other], true, is_own), [own, other]);
    }

    #[test]
    fn this_machine_knows_its_own_addresses() {
        assert!(is_own("127.0.0.1:1".parse().unwrap()));
        assert!(!is_own("203.0.113.1:1".parse().unwrap()));
    }
}
