//! A line between a client and a server that a test may cut, pause, or rob of its responses.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The line's treatment of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Hands everything on.
    Open,
    /// Ends every connection at once, and each new one.
    Cut,
    /// Keeps connections, and forwards nothing: packets are lost silently.
    Silent,
    /// Forwards requests and swallows responses.
    OneWay,
    /// Forwards requests; at a response's first byte both ends are closed.
    Unanswered,
}

const WAYS: [Way; 5] = [Way::Open, Way::Cut, Way::Silent, Way::OneWay, Way::Unanswered];

/// A running proxy on 127.0.0.1.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    to: Mutex<SocketAddr>,
    way: AtomicU8,
    over: AtomicBool,
    /// Both ends of each open connection, by the connection's number.
    open: Mutex<BTreeMap<usize, [TcpStream; 2]>>,
    met: AtomicUsize,
    answers: AtomicUsize,
}

impl Proxy {
    /// Starts one in front of an address.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it has a number");
        let shared = Arc::new(Shared {
            to: Mutex::new(to),
            way: AtomicU8::new(0),
            over: AtomicBool::new(false),
            open: Mutex::default(),
            met: AtomicUsize::new(0),
            answers: AtomicUsize::new(0),
        });
        let taking = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if taking.over.load(Ordering::Relaxed) {
                    return;
                }
                taking.meet(stream);
            }
        });
        Self { address, shared }
    }

    /// Changes its way, for open connections too.
    pub fn go(&self, way: Way) {
        let number = WAYS.iter().position(|known| *known == way).unwrap_or_default();
        self.shared
            .way
            .store(u8::try_from(number).unwrap_or_default(), Ordering::SeqCst);
        if way == Way::Cut {
            self.shared.cut();
        }
    }

    /// Leads to another address from the next connection on.
    ///
    /// # Panics
    /// When a connection's thread has panicked.
    pub fn lead_to(&self, to: SocketAddr) {
        *self.shared.to.lock().expect("no thread panics") = to;
    }

    /// How many connections came so far.
    pub fn met(&self) -> usize {
        self.shared.met.load(Ordering::SeqCst)
    }

    /// The number of pieces of responses from the server so far.
    pub fn answers(&self) -> usize {
        self.shared.answers.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        self.shared.cut();
        // The taking thread waits for a connection; this one is its last.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn way(&self) -> Way {
        WAYS[usize::from(self.way.load(Ordering::SeqCst))]
    }

    fn cut(&self) {
        for stream in std::mem::take(&mut *self.open.lock().expect("no thread panics"))
            .into_values()
            .flatten()
        {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn meet(self: &Arc<Self>, near: TcpStream) {
        let number = self.met.fetch_add(1, Ordering::SeqCst);
        if self.way() == Way::Cut {
            return;
        }
        let to = *self.to.lock().expect("no thread panics");
        let Ok(far) = TcpStream::connect_timeout(&to, Duration::from_secs(5)) else {
            return;
        };
        let ends = [near.try_clone(), far.try_clone(), near.try_clone(), far.try_clone()];
        let [Ok(near_in), Ok(far_out), Ok(near_kept), Ok(far_kept)] = ends else {
            return;
        };
        self.open
            .lock()
            .expect("no thread panics")
            .insert(number, [near_kept, far_kept]);
        let (asking, answering) = (self.clone(), self.clone());
        std::thread::spawn(move || {
            asking.hand_on(near_in, far_out, false);
            asking.forget(number);
        });
        std::thread::spawn(move || {
            answering.hand_on(far, near, true);
            answering.forget(number);
        });
    }

    /// A closed connection takes no place among the files that a process may open.
    fn forget(&self, number: usize) {
        self.open.lock().expect("no thread panics").remove(&number);
    }

    fn hand_on(&self, mut from: TcpStream, mut to: TcpStream, is_answer: bool) {
        let mut piece = [0_u8; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if is_answer {
                self.answers.fetch_add(1, Ordering::SeqCst);
            }
            match self.way() {
                Way::Silent => continue,
                Way::OneWay if is_answer => continue,
                Way::Unanswered if is_answer => break,
                Way::Cut => break,
                Way::Open | Way::OneWay | Way::Unanswered => {}
            }
            if to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
