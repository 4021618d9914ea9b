//! Where a request came from.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Request, header};
use proof::crypto::digest_text;

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

/// The peer of a request that came without a proxy: no header reports one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Direct(IpAddr);

impl Direct {
    /// The peer, unless a header shows that a proxy forwarded the request.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap) -> Option<Self> {
        let is_forwarding = |name: &str| name.starts_with(FORWARDED) || FORWARDING.contains(&name);
        let is_forwarded = headers.keys().any(|name| is_forwarding(name.as_str()));
        (!is_forwarded).then(|| Self(peer.to_canonical()))
    }
}

/// How most headers begin by which proxies, load balancers and ingress controllers report what they forward.
const FORWARDED: &str = "x-forwarded";
/// The others.
const FORWARDING: &[&str] = &[
    "cf-connecting-ip",
    "fastly-client-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-azure-clientip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-original-forwarded-for",
    "x-real-ip",
];

/// The readers of inner routes: of the figures, and of the reasons of readiness.
#[derive(Debug, Clone, Default)]
pub(crate) struct Insiders {
    from: Proxies,
    token: Option<String>,
}

impl Insiders {
    /// Reads the networks whose direct connections are inside, and the token of all others.
    ///
    /// # Errors
    /// A sentence that names the text that is no network.
    pub(crate) fn parse(from: &[String], token: Option<&str>) -> Result<Self, String> {
        Ok(Self {
            from: Proxies::parse(from)?,
            token: token.map(str::to_owned),
        })
    }

    /// Whether a request is one of theirs: a direct connection from one of the networks, or any with the token.
    pub(crate) fn have<B>(&self, request: &Request<B>) -> bool {
        let direct = request.extensions().get::<Direct>();
        direct.is_some_and(|peer| self.from.contain(peer.0)) || self.is_token(request.headers())
    }

    fn is_token(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|text| text.strip_prefix("Bearer "));
        let (Some(token), Some(given)) = (&self.token, given) else {
            return false;
        };
        // Digests differ in no way that their comparison could reveal.
        digest_text(token.as_bytes()) == digest_text(given.trim().as_bytes())
    }
}

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

    fn contain(&self, address: IpAddr) -> bool {
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
            if !self.contain(source) {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn request(peer: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::builder().uri("/metrics");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let mut request = builder.body(()).unwrap();
        if let Some(direct) = Direct::of(peer.parse().unwrap(), request.headers()) {
            request.extensions_mut().insert(direct);
        }
        request
    }

    #[test]
    fn inner_routes_are_for_direct_connections_and_for_the_token() {
        let own = Insiders::parse(&["127.0.0.0/8".to_owned(), "::1".to_owned()], None).unwrap();
        for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(own.have(&request(peer, &[])), "{peer}");
        }
        assert!(!own.have(&request("10.1.2.3", &[])));
        assert!(!Insiders::default().have(&request("127.0.0.1", &[])));
        // A proxy on this host forwards what others sent, whatever they claim to be.
        let named = [
            "x-forwarded",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-server",
        ];
        for name in FORWARDING.iter().chain(&named) {
            assert!(!own.have(&request("127.0.0.1", &[(*name, "127.0.0.1")])), "{name}");
        }
        let bearer = |text: &str| request("10.1.2.3", &[("authorization", text), ("via", "1.1 proxy")]);
        assert!(!own.have(&bearer("Bearer ")), "no token is set");
        let with = Insiders::parse(&[], Some("a-long-metrics-token")).unwrap();
        assert!(with.have(&bearer("Bearer a-long-metrics-token")));
        for wrong in ["Bearer another", "Bearer ", "a-long-metrics-token"] {
            assert!(!with.have(&bearer(wrong)), "{wrong}");
        }
        assert!(Insiders::parse(&["here".to_owned()], None).is_err());
    }
}
