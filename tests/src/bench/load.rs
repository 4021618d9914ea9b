//! Load: a number of connections send as fast as they get responses, until a time or a count is reached.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, anyhow, ensure};

use super::client::{Answer, Connection};

/// How much load, and until when.
#[derive(Clone, Copy)]
pub struct Amount {
    /// Connections, each with a thread of its own.
    pub connections: usize,
    /// Seconds after which no request is begun any more.
    pub seconds: f64,
    /// Requests after which none is begun any more.
    pub count: u64,
}

/// The result of a round. Several rounds add up.
#[derive(Default)]
pub struct Load {
    /// How long the rounds took together, in seconds.
    pub seconds: f64,
    /// Milliseconds of each finished request.
    pub took: Vec<f64>,
}

impl Load {
    /// Adds another round.
    pub fn add(&mut self, other: Self) {
        self.seconds += other.seconds;
        self.took.extend(other.took);
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.took.len() as f64 / self.seconds.max(f64::EPSILON)
    }

    /// The milliseconds under which this share of the responses stayed (0.99 for p99).
    pub fn share(&self, share: f64) -> f64 {
        share_of(&self.took, share)
    }
}

/// The nearest rank: the smallest value that at least this share of the values does not pass. Of nothing, not a number.
pub fn share_of(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// Seconds between two readings of the clock.
pub fn seconds_since(before: jiff::Timestamp) -> f64 {
    assent::clock::now().duration_since(before).as_secs_f64()
}

/// Runs one round. `make` makes the request of a number from `first` on; a response with another status than `wanted` ends the
/// round as a failure, because its time would be meaningless.
pub fn run(
    address: SocketAddr,
    amount: Amount,
    first: u64,
    wanted: u16,
    make: &(impl Fn(u64) -> Vec<u8> + Sync),
) -> Result<Load> {
    let next = AtomicU64::new(first);
    let began = assent::clock::now();
    let work = || -> Result<Vec<f64>> {
        let mut connection = Connection::open(address)?;
        let mut took = Vec::new();
        while seconds_since(began) < amount.seconds {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number - first >= amount.count {
                break;
            }
            let request = make(number);
            let asked = assent::clock::now();
            let answer = connection.ask(&request)?;
            took.push(seconds_since(asked) * 1_000.0);
            check(&answer, wanted)?;
        }
        Ok(took)
    };
    let parts: Vec<Result<Vec<f64>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..amount.connections).map(|_| scope.spawn(work)).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread
                .join()
                .unwrap_or_else(|_| Err(anyhow!("a thread of the load panicked")))
        };
        threads.into_iter().map(join).collect()
    });
    let mut load = Load {
        seconds: seconds_since(began),
        took: Vec::new(),
    };
    for part in parts {
        load.took.extend(part?);
    }
    Ok(load)
}

fn check(answer: &Answer, wanted: u16) -> Result<()> {
    let text = String::from_utf8_lossy(&answer.body);
    ensure!(
        answer.status == wanted,
        "answered {} instead of {wanted}: {text}",
        answer.status
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_the_nearest_rank() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!((share_of(&values, 0.99), share_of(&values, 0.5)), (198.0, 100.0));
        assert_eq!(share_of(&[7.0], 0.95), 7.0);
        assert!(share_of(&[], 0.95).is_nan());
    }
}
