//! Asks a server now and then while it is under load, and reads what its refusals say: the load
//! generator only measures them.

use seda_tools::RequestShape;
use seda_tools::mix::Choice;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Between two questions: a few dozen in a run, next to nothing beside its load.
const PAUSE: Duration = Duration::from_millis(50);
/// What an answer gets.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than a refusal has.
const MAX_ANSWER: u64 = 64 * 1_024;

/// A thread that asks.
#[derive(Debug)]
pub(crate) struct Sampler {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<Sampled>,
}

/// What it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sampled {
    pub(crate) answered: u64,
    pub(crate) refused: u64,
    /// Refusals in which all the evidence was found.
    pub(crate) explained: u64,
}

impl Sampler {
    /// Begins to ask for this entry of a mix.
    pub(crate) fn start(
        server: SocketAddr,
        asked: &Choice,
        evidence: &[String],
    ) -> Result<Self, Box<dyn Error>> {
        let shape = RequestShape { keep_alive: false, ..RequestShape::new(server.to_string()) };
        let shape = shape.with_headers(&asked.headers);
        let request = shape.bytes(&asked.target.method, &asked.target.path)?;
        let ended = Arc::new(AtomicBool::new(false));
        let (seen, evidence) = (Arc::clone(&ended), evidence.to_vec());
        let thread = thread::Builder::new().name("sampler".to_owned()).spawn(move || {
            let mut sampled = Sampled::default();
            while !seen.load(Ordering::Relaxed) {
                if let Ok(answer) = ask(server, &request) {
                    sampled.count(&answer, &evidence);
                }
                thread::park_timeout(PAUSE);
            }
            sampled
        })?;
        Ok(Self { ended, thread })
    }

    /// Ends it; a thread that has panicked was told nothing.
    pub(crate) fn stop(self) -> Sampled {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        self.thread.join().unwrap_or_default()
    }
}

impl Sampled {
    pub(crate) fn add(&mut self, other: Sampled) {
        self.answered += other.answered;
        self.refused += other.refused;
        self.explained += other.explained;
    }

    fn count(&mut self, answer: &str, evidence: &[String]) {
        self.answered += 1;
        if !["429", "503"].contains(&answer.split(' ').nth(1).unwrap_or_default()) {
            return;
        }
        self.refused += 1;
        let lower = answer.to_ascii_lowercase();
        let told = evidence.iter().all(|word| lower.contains(&word.to_ascii_lowercase()));
        self.explained += u64::from(told);
    }
}

fn ask(server: SocketAddr, request: &[u8]) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_explained_if_it_has_all_the_evidence() {
        let evidence = ["class".to_owned(), "p90".to_owned()];
        let mut sampled = Sampled::default();
        for answer in [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 503 Service Unavailable\r\nSeda-Class: gold\r\n\r\np90 0.3",
            "HTTP/1.1 503 Service Unavailable\r\n\r\nclass gold\n",
            "HTTP/1.1 429 Too Many Requests\r\n\r\nthe P90 of class gold\n",
        ] {
            sampled.count(answer, &evidence);
        }
        assert_eq!(sampled, Sampled { answered: 4, refused: 3, explained: 2 });
    }
}
