//! Sends single requests to a server under load and reads the text of its refusals; the load
//! generator only measures their time.

use crate::measure::fetch::fetch;
use seda_tools::RequestShape;
use seda_tools::mix::Choice;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Pause between two requests: a few dozen in a run, negligible beside its load.
const PAUSE: Duration = Duration::from_millis(50);

/// A thread that sends requests until it is stopped.
#[derive(Debug)]
pub(crate) struct Sampler {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<Sampled>,
}

/// Counts of its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sampled {
    pub(crate) answered: u64,
    pub(crate) refused: u64,
    /// Refusals that contain all words of the evidence.
    pub(crate) explained: u64,
}

impl Sampler {
    /// Starts to send this entry of a mix.
    pub(crate) fn start(
        server: SocketAddr,
        choice: &Choice,
        evidence: &[String],
    ) -> Result<Self, Box<dyn Error>> {
        let shape = RequestShape { keep_alive: false, ..RequestShape::new(server.to_string()) };
        let shape = shape.with_headers(&choice.headers);
        let request = shape.bytes(&choice.target.method, &choice.target.path)?;
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let evidence = evidence.to_vec();
        let thread = thread::Builder::new().name("sampler".to_owned()).spawn(move || {
            let mut sampled = Sampled::default();
            while !stop.load(Ordering::Relaxed) {
                if let Ok(answer) = fetch(server, &request) {
                    sampled.count(&answer, &evidence);
                }
                thread::park_timeout(PAUSE);
            }
            sampled
        })?;
        Ok(Self { ended, thread })
    }

    /// Stops the thread and returns its counts; zeros if it has panicked.
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
        let explained = evidence.iter().all(|word| lower.contains(&word.to_ascii_lowercase()));
        self.explained += u64::from(explained);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_explained_if_it_contains_all_words_of_the_evidence() {
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
