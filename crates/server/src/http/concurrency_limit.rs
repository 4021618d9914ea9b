//! Turns: how many requests are processed at once. A request that waits for more of its own body lends its turn to others, so
//! that a slow or silent sender blocks nobody.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// The turn of one request.
pub(crate) struct Turn {
    queue: Arc<Semaphore>,
    held: Mutex<Held>,
}

/// Where a turn is.
enum Held {
    /// With its request.
    Here(#[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit),
    /// With others, until more of the body has come.
    Lent,
    /// The response has been sent.
    Over,
}

impl Turn {
    /// Takes a turn, if there is one.
    pub(crate) fn take(queue: &Arc<Semaphore>) -> Option<Arc<Self>> {
        let permit = queue.clone().try_acquire_owned().ok()?;
        Some(Arc::new(Self {
            queue: queue.clone(),
            held: Mutex::new(Held::Here(permit)),
        }))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // The value stays consistent after any panic.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends the turn to others while the body makes no progress.
    fn lend(&self) {
        let mut held = self.held();
        if matches!(*held, Held::Here(_)) {
            *held = Held::Lent;
        }
    }

    fn is_lent(&self) -> bool {
        matches!(*self.held(), Held::Lent)
    }

    /// Takes the turn back, unless the response was sent meanwhile.
    fn resume(&self, permit: OwnedSemaphorePermit) {
        let mut held = self.held();
        if matches!(*held, Held::Lent) {
            *held = Held::Here(permit);
        }
    }

    /// Ends the turn: the response has been sent, whatever becomes of the rest of the body.
    pub(crate) fn end(&self) {
        *self.held() = Held::Over;
    }

    /// A request whose body lends this turn out whenever it makes no progress.
    pub(crate) fn watch(self: &Arc<Self>, request: Request) -> Request {
        if request.body().is_end_stream() {
            return request;
        }
        request.map(|body| {
            Body::new(Awaited {
                body,
                turn: self.clone(),
                frame: None,
                back: None,
            })
        })
    }
}

/// One result of polling a body.
type Piece = Option<Result<Frame<Bytes>, axum::Error>>;
/// A turn that is waited for.
type Back = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

/// A body that lends its request's turn out while it is waited for.
struct Awaited {
    body: Body,
    turn: Arc<Turn>,
    /// The data that arrived while the turn was lent out, kept until the turn is back.
    frame: Option<Piece>,
    back: Option<Back>,
}

impl hyper::body::Body for Awaited {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Piece> {
        let this = &mut *self;
        if this.frame.is_none() {
            let Poll::Ready(piece) = Pin::new(&mut this.body).poll_frame(cx) else {
                this.turn.lend();
                return Poll::Pending;
            };
            if !this.turn.is_lent() {
                return Poll::Ready(piece);
            }
            this.frame = Some(piece);
        }
        let back = this
            .back
            .get_or_insert_with(|| Box::pin(this.turn.queue.clone().acquire_owned()));
        // A queue is never closed; if it were, the request would go on without a turn.
        if let Ok(permit) = ready!(back.as_mut().poll(cx)) {
            this.turn.resume(permit);
        }
        this.back = None;
        Poll::Ready(this.frame.take().flatten())
    }

    fn is_end_stream(&self) -> bool {
        self.frame.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::time::Duration;

    use tokio_stream::StreamExt;

    use super::*;

    /// A request whose body comes as it is sent, and its sender.
    fn slow(turn: &Arc<Turn>) -> (Body, tokio::sync::mpsc::Sender<&'static str>) {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let pieces = tokio_stream::wrappers::ReceiverStream::new(receiver).map(Ok::<_, std::io::Error>);
        let request = Request::new(Body::from_stream(pieces));
        (turn.watch(request).into_body(), sender)
    }

    async fn next(body: &mut Body) -> Option<Bytes> {
        let piece = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
        piece.unwrap().into_data().ok()
    }

    async fn stands_still(body: &mut Body) {
        let waited = tokio::time::timeout(Duration::from_millis(20), next(body)).await;
        assert!(waited.is_err(), "nothing was sent");
    }

    #[tokio::test]
    async fn who_sends_nothing_keeps_nobody_out() {
        let queue = Arc::new(Semaphore::new(1));
        let turn = Turn::take(&queue).unwrap();
        assert!(Turn::take(&queue).is_none(), "there is one turn");
        let (mut body, sender) = slow(&turn);
        stands_still(&mut body).await;
        let other = Turn::take(&queue).expect("others have the turn of who waits for a body");
        sender.send("more").await.unwrap();
        stands_still(&mut body).await;
        drop(other);
        assert_eq!(next(&mut body).await.unwrap(), "more", "it comes with the turn");
        assert!(Turn::take(&queue).is_none(), "who goes on has a turn again");
        drop(sender);
        assert_eq!(next(&mut body).await, None);
        turn.end();
        assert!(Turn::take(&queue).is_some());
    }

    #[tokio::test]
    async fn an_answered_request_takes_no_turn_for_the_rest_of_its_body() {
        let queue = Arc::new(Semaphore::new(1));
        let turn = Turn::take(&queue).unwrap();
        let (mut body, sender) = slow(&turn);
        stands_still(&mut body).await;
        turn.end();
        sender.send("late").await.unwrap();
        assert_eq!(next(&mut body).await.unwrap(), "late");
        assert!(Turn::take(&queue).is_some());
    }
}
