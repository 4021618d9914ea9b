//! Which addresses calls may go to. Otherwise a person who may name an address to be called could reach systems behind the
//! server: its own network, its host, the cloud's metadata. Each address that a name resolves to is checked at the moment of
//! the call, and the connection goes to that very address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses and networks inside that may be called all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Egress(Vec<(IpAddr, u8)>);

impl Egress {
    /// Reads addresses and networks such as `10.1.0.0/16` that the operator allows.
    ///
    /// # Errors
    /// A sentence that names the text that is neither.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        texts
            .iter()
            .map(|text| network(text).ok_or_else(|| format!("`{text}` is no address or network")))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the operator allowed this address by name.
    #[must_use]
    pub fn names(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|(network, bits)| lies_in(address, *network, *bits))
    }

    /// Whether a call may go to this address: public ones may be called, others only when the operator named them.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.names(address)
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.trim().parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.trim().parse().ok())?;
    (bits <= most).then_some((address, bits))
}

fn lies_in(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = u32::from(32 - bits);
            u32::from(address).checked_shr(shift) == u32::from(network).checked_shr(shift)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = u32::from(128 - bits);
            u128::from(address).checked_shr(shift) == u128::from(network).checked_shr(shift)
        }
        _ => false,
    }
}

/// Whether an address is reached over the public internet: none of the blocks that IANA lists as special (RFC 6890 and
/// its successors), also when an IPv4 address hides in an IPv6 one.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a == 10
        || a == 127
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = hidden_v4(address) {
        return is_public_v4(inner);
    }
    let segments = address.segments();
    // Only 2000::/3 is given out; from it Teredo, ORCHID, benchmarks and documentation are taken out.
    let is_given_out = segments[0] & 0xe000 == 0x2000;
    let is_special = match (segments[0], segments[1]) {
        (0x2001, second) => second < 0x0200 || second == 0x0db8,
        (0x3fff, second) => second < 0x1000,
        _ => false,
    };
    is_given_out && !is_special
}

/// The IPv4 address inside an IPv6 one: mapped, compatible, 6to4, or of the translators' well-known prefix.
fn hidden_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some(of(high, low)),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_lies_inside_is_not_public_in_any_writing() {
        for inside in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::1",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(address(inside)), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "140.82.112.3",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(address(outside)), "{outside}");
        }
    }

    /// Blocks of IPv4 that are not reached over the public internet.
    const INSIDE_V4: &[(&str, u32)] = &[
        ("0.0.0.0", 8),
        ("10.0.0.0", 8),
        ("100.64.0.0", 10),
        ("127.0.0.0", 8),
        ("169.254.0.0", 16),
        ("172.16.0.0", 12),
        ("192.0.0.0", 24),
        ("192.0.2.0", 24),
        ("192.88.99.0", 24),
        ("192.168.0.0", 16),
        ("198.18.0.0", 15),
        ("198.51.100.0", 24),
        ("203.0.113.0", 24),
        ("224.0.0.0", 3),
    ];
    /// The same of IPv6.
    const INSIDE_V6: &[(&str, u32)] = &[
        ("::", 8),
        ("64:ff9b:1::", 48),
        ("100::", 64),
        ("2001::", 23),
        ("2001:db8::", 32),
        ("3fff::", 20),
        ("5f00::", 16),
        ("fc00::", 7),
        ("fe80::", 10),
        ("fec0::", 10),
        ("ff00::", 8),
    ];
    /// Neighbours of those blocks.
    const OUTSIDE: &[&str] = &[
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "126.255.255.255",
        "128.0.0.1",
        "172.15.255.255",
        "192.0.1.0",
        "198.20.0.0",
        "223.255.255.255",
    ];

    /// An IPv4 address in every writing that a resolver gives back.
    fn writings(it: Ipv4Addr) -> [IpAddr; 4] {
        let number = u128::from(u32::from(it));
        [
            IpAddr::V4(it),
            IpAddr::V6(Ipv6Addr::from(0xffff_0000_0000 | number)),
            IpAddr::V6(Ipv6Addr::from(0x0064_ff9b << 96 | number)),
            IpAddr::V6(Ipv6Addr::from(0x2002 << 112 | number << 80 | 1)),
        ]
    }

    /// Each block at both ends and in its middle.
    #[test]
    fn hundreds_of_addresses_inside_are_not_public_and_their_neighbours_are() {
        let mut tried = 0;
        for (first, length) in INSIDE_V4 {
            let first = u32::from(first.parse::<Ipv4Addr>().unwrap());
            let last = first | u32::MAX >> length;
            for inside in [first, first + 1, first + (last - first) / 2, last - 1, last] {
                for address in writings(Ipv4Addr::from(inside)) {
                    assert!(!is_public(address), "{address}");
                    tried += 1;
                }
            }
        }
        for (block, length) in INSIDE_V6 {
            let first = u128::from(block.parse::<Ipv6Addr>().unwrap());
            let last = first | u128::MAX >> length;
            for inside in [first, first + 1, first + (last - first) / 2, last - 1, last] {
                assert!(!is_public(IpAddr::V6(Ipv6Addr::from(inside))), "{block}: {inside:x}");
                tried += 1;
            }
        }
        assert!(tried > 300, "only {tried} addresses");
        for outside in OUTSIDE {
            for address in writings(outside.parse().unwrap()) {
                assert!(is_public(address), "{address}");
            }
        }
    }

    #[test]
    fn the_operator_opens_networks_by_name() {
        let egress = Egress::parse(&["127.0.0.1".to_owned(), "10.1.0.0/16".to_owned(), "fd00::/8".to_owned()]).unwrap();
        for allowed in ["127.0.0.1", "::ffff:127.0.0.1", "10.1.2.3", "fd00::1", "1.1.1.1"] {
            assert!(egress.allows(address(allowed)), "{allowed}");
        }
        for refused in ["127.0.0.2", "10.2.0.1", "fe80::1", "169.254.169.254"] {
            assert!(!egress.allows(address(refused)), "{refused}");
        }
        let every = Egress::parse(&["0.0.0.0/0".to_owned()]).unwrap();
        assert!(every.allows(address("10.0.0.1")) && !every.allows(address("::1")));
        for wrong in ["localhost", "10.0.0.0/33", "", "10.0.0.0/x"] {
            assert!(Egress::parse(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
