//! Where a request came from.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

tokio::task_local! {
    /// The address of the request that is worked on.
    pub(crate) static SOURCE: String;
}

/// The address of the request that is worked on; `None` outside of one.
pub(crate) fn current_source() -> Option<String> {
    SOURCE.try_with(Clone::clone).ok().filter(|address| !address.is_empty())
}

/// The source of a request: the peer's address, or the address that a trusted proxy reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source(pub String);

/// Proxies that are trusted to report the source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Vec<(IpAddr, u8)>);

impl Proxies {
    /// Reads addresses and networks such as `10.0.0.0/8`.
    ///
    /// # Errors
    /// A sentence that names the text that is neither.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, String> {
        texts
            .iter()
            .map(|text| network(text).ok_or(format!("`{text}` is no address or network")))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|(network, bits)| lies_in(address, *network, *bits))
    }

    /// The source of a request: the rightmost address that is no trusted proxy's. The search stops at an entry that is no
    /// address, as the client may have written everything to its left.
    pub(crate) fn source(&self, peer: IpAddr, headers: &HeaderMap) -> Source {
        let mut source = peer.to_canonical();
        let lines = headers
            .get_all("x-forwarded-for")
            .iter()
            .map(|line| line.to_str().unwrap_or_default());
        let named: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
        for word in named.into_iter().rev() {
            if !self.trusts(source) {
                break;
            }
            let Some(address) = forwarded(word.trim()) else { break };
            source = address.to_canonical();
        }
        Source(source.to_string())
    }
}

/// An address as proxies write it: some put the port behind it.
fn forwarded(word: &str) -> Option<IpAddr> {
    let bare = || word.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || Some(word.parse::<SocketAddr>().ok()?.ip());
    word.parse().ok().or_else(with_port).or_else(bare)
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text
        .split_once('/')
        .map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.trim().parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.trim().parse().ok())?;
    (bits <= most).then_some((address, bits))
}

fn lies_in(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = u32::from(32 - bits);
            u32::from(address).checked_shr(shift).unwrap_or(0) == u32::from(network).checked_shr(shift).unwrap_or(0)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = u32::from(128 - bits);
            u128::from(address).checked_shr(shift).unwrap_or(0) == u128::from(network).checked_shr(shift).unwrap_or(0)
        }
        _ => false,
    }
}
