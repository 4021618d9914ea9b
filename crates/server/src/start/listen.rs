//! Takes connections: plain or TLS, with a limit on how slowly a request's head may come, and ends them in order.

use std::convert::Infallible;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Request, Response, Version, header};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::{TlsAcceptor, rustls};

use crate::http::certificate::{Certificate, provider};
use crate::http::source::{Direct, Proxies};
use crate::start::router::Doors;

/// How long a request's head may take.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a client may read nothing of a response that waits for it.
const TAKING_PATIENCE: Duration = Duration::from_secs(15);
/// The most unread bytes of a request that are held: a head must fit, bodies come piece by piece, and a stalled sender holds
/// one piece.
const READ_AHEAD: usize = 16 * 1024;
/// The ping interval for a silent HTTP/2 peer, and how long its reply may take: together little more than a head may take.
const PING: Duration = Duration::from_secs(8);
const PONG: Duration = Duration::from_secs(5);
/// How long a TLS handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// How many connections there may be at once.
const CONNECTIONS: usize = 10_000;

/// A TLS acceptor that uses the current certificate at each handshake.
///
/// # Errors
/// A sentence for the operator.
pub(crate) fn acceptor(certificate: Arc<Certificate>) -> Result<TlsAcceptor, String> {
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The endpoints behind the listener, and their connection settings.
#[derive(Clone)]
pub(crate) struct Front {
    /// The endpoints; replaced once, when the server has started.
    pub doors: watch::Receiver<Doors>,
    /// Proxies that are trusted to report the source.
    pub proxies: Arc<Proxies>,
    /// The TLS acceptor, if TLS is used.
    pub tls: Option<TlsAcceptor>,
}

/// Accepts connections until `stop` is signalled, then waits at most `patience` for open ones.
pub(crate) async fn take(listener: TcpListener, front: Front, mut stop: watch::Receiver<bool>, patience: Duration) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Most often there are no file handles left for a moment.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            continue;
        };
        let (front, watcher) = (front.clone(), graceful.watcher());
        tokio::spawn(async move {
            meet(stream, peer, front, watcher).await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(patience, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections were cut");
    }
}

async fn meet(stream: TcpStream, peer: SocketAddr, front: Front, watcher: hyper_util::server::graceful::Watcher) {
    // Small responses must not wait for more data.
    let _ = stream.set_nodelay(true);
    let Some(tls) = front.tls.clone() else {
        return serve_stream(stream, peer, front, watcher).await;
    };
    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_PATIENCE, tls.accept(stream)).await {
        serve_stream(stream, peer, front, watcher).await;
    }
}

/// The bytes that a client must have sent before hyper's own timeout for heads begins. Hyper needs them to distinguish HTTP/2
/// from HTTP/1, and waits for them without a limit.
const FIRST_WORD: usize = 24;

/// A stream with limits: the peer has to begin soon, and to read the data that is sent.
struct Hurried<S> {
    stream: S,
    heard: usize,
    end: Option<Pin<Box<tokio::time::Sleep>>>,
    /// The timeout that runs while the peer reads nothing.
    untaken: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl<S> Hurried<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            heard: 0,
            end: Some(Box::pin(tokio::time::sleep(HEAD_PATIENCE))),
            untaken: None,
        }
    }

    /// Ends a stream whose peer has read nothing for too long: the waiting data takes memory.
    fn patiently<T>(&mut self, cx: &mut Context<'_>, polled: Poll<std::io::Result<T>>) -> Poll<std::io::Result<T>> {
        if polled.is_ready() {
            self.untaken = None;
            return polled;
        }
        let end = self
            .untaken
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(TAKING_PATIENCE)));
        end.as_mut()
            .poll(cx)
            .map(|()| Err(std::io::Error::from(std::io::ErrorKind::TimedOut)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Hurried<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, into);
        self.heard = self.heard.saturating_add(into.filled().len() - before);
        if self.heard >= FIRST_WORD {
            self.end = None;
        }
        match (&polled, &mut self.end) {
            (Poll::Pending, Some(end)) => end
                .as_mut()
                .poll(cx)
                .map(|()| Err(std::io::Error::from(std::io::ErrorKind::TimedOut))),
            _ => polled,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Hurried<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.patiently(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.patiently(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.patiently(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.patiently(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The longest unwanted body that is read to its end, in bytes.
const SMALL_BODY: u64 = 64 * 1024;

/// Whether a request's body was left unread on its connection.
#[derive(Debug, Clone, Default)]
struct Left(Arc<AtomicBool>);

impl Left {
    fn note(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_noted(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A request's body. A small body that the handler leaves unread, for example because a credential is refused first, is still
/// read to its end. Otherwise the connection would be closed, and the client's next request lost on it.
struct Sent {
    /// The rest of the body; `None` once all of it was read.
    body: Option<Incoming>,
    /// Whether the client waits for `100 Continue`; reading an unwanted body would send that for nothing.
    is_awaited: bool,
    left: Left,
}

impl Sent {
    fn new(headers: &HeaderMap, body: Incoming, left: Left) -> Self {
        Self {
            body: Some(body),
            is_awaited: headers.contains_key(header::EXPECT),
            left,
        }
    }
}

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(hyper::body::Body::is_end_stream)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| hyper::body::SizeHint::with_exact(0), hyper::body::Body::size_hint)
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        use hyper::body::Body as _;
        let Some(mut body) = self.body.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        if self.is_awaited || body.size_hint().upper().is_none_or(|bytes| bytes > SMALL_BODY) {
            return self.left.note();
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return self.left.note();
        };
        runtime.spawn(tokio::time::timeout(HEAD_PATIENCE, async move {
            while let Some(Ok(_)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
        }));
    }
}

/// Announces that the connection closes after a response that leaves the request's body unread (RFC 9112, section 9.6).
/// Otherwise the client would send its next request into a closed connection. HTTP/2 ends only the stream, and has no such
/// header.
fn announce_close(version: Version, left: &Left, answer: &mut Response<Body>) {
    let is_refused = answer.status().is_client_error() || answer.status().is_server_error();
    if version <= Version::HTTP_11 && is_refused && left.is_noted() {
        let headers = answer.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Serves a request that needs no waiting before the full request path is set up. Such a request has no body.
fn at_once(front: &Front, request: &Request<Incoming>) -> Option<Response<Body>> {
    use hyper::body::Body as _;
    let is_bare = request.body().is_end_stream();
    is_bare.then(|| front.doors.borrow().answer_at_once(request)).flatten()
}

/// The response to all other requests.
fn usually(
    front: &Front,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> impl Future<Output = Response<Body>> + Send + use<> {
    let (head, body) = request.into_parts();
    let (version, left) = (head.version, Left::default());
    let body = Body::new(Sent::new(&head.headers, body, left.clone()));
    let mut request = Request::from_parts(head, body);
    let source = front.proxies.source(peer.ip(), request.headers());
    request.extensions_mut().insert(source);
    if let Some(direct) = Direct::of(peer.ip(), request.headers()) {
        request.extensions_mut().insert(direct);
    }
    let doors = front.doors.borrow().clone();
    async move {
        let mut answer = doors.answer(request).await;
        announce_close(version, &left, &mut answer);
        answer
    }
}

async fn serve_stream<S>(stream: S, peer: SocketAddr, front: Front, watcher: hyper_util::server::graceful::Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let answer = match at_once(&front, &request) {
            Some(answer) => Ok(answer),
            None => Err(usually(&front, peer, request)),
        };
        async move {
            match answer {
                Ok(known) => Ok::<_, Infallible>(known),
                Err(asked) => Ok(asked.await),
            }
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .max_buf_size(READ_AHEAD)
        .header_read_timeout(HEAD_PATIENCE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG);
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(Hurried::new(stream)), service)
        .into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn source(proxies: &[&str], peer: &str, forwarded: &str) -> String {
        let texts: Vec<String> = proxies.iter().map(|text| (*text).to_owned()).collect();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        Proxies::parse(&texts)
            .unwrap()
            .source(peer.parse().unwrap(), &headers)
            .0
    }

    #[test]
    fn the_end_of_a_connection_is_said_where_a_refused_body_stays_on_it() {
        let says = |version, status: u16, is_left: bool| {
            let left = Left::default();
            if is_left {
                left.note();
            }
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = status.try_into().unwrap();
            announce_close(version, &left, &mut answer);
            answer.headers().contains_key(header::CONNECTION)
        };
        assert!(says(Version::HTTP_11, 413, true));
        assert!(!says(Version::HTTP_2, 413, true), "HTTP/2 has no such header");
        assert!(!says(Version::HTTP_11, 413, false));
        assert!(
            !says(Version::HTTP_11, 201, true),
            "what followed the last part of a form is read by the way"
        );
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(source(&[], "10.0.0.1", "1.2.3.4"), "10.0.0.1");
        assert_eq!(source(&["10.0.0.0/8"], "10.0.0.1", "1.2.3.4"), "1.2.3.4");
        assert_eq!(
            source(&["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 1.2.3.4, 10.9.9.9"),
            "1.2.3.4"
        );
        assert_eq!(source(&["::1"], "::1", "2001:db8::5"), "2001:db8::5");
        assert_eq!(source(&["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 1.2.3.4:41234"), "1.2.3.4");
        assert_eq!(
            source(&["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, [2001:db8::5]:443"),
            "2001:db8::5"
        );
        assert_eq!(source(&["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, unknown"), "10.0.0.1");
        assert_eq!(
            source(&["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, unknown, 10.0.0.2"),
            "10.0.0.2"
        );
        assert!(Proxies::parse(&["10.0.0.0/40".to_owned()]).is_err());
        assert!(Proxies::parse(&["here".to_owned()]).is_err());
    }
}
