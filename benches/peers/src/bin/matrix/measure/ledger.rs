//! The ledger of requests in seda's own report.

use crate::measure::fetch::fetch;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};

/// Requests since the server began.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Ledger {
    admitted: u64,
    /// Admitted and then shed, expired or otherwise given up, by reason.
    lost: BTreeMap<String, u64>,
}

/// The part of the report that is read.
#[derive(Deserialize)]
struct Report {
    requests: Ledger,
}

/// A ledger on its way. The server may take a while, and a load must not wait for it.
#[derive(Debug)]
pub(crate) struct Reading(JoinHandle<Option<Ledger>>);

/// Reads the ledger of one server.
#[derive(Clone, Debug)]
pub(crate) struct LedgerReader {
    server: SocketAddr,
    request: String,
}

impl LedgerReader {
    pub(crate) fn new(server: SocketAddr) -> Self {
        let head = format!("Host: {server}\r\nConnection: close");
        Self { server, request: format!("GET /_seda/report HTTP/1.1\r\n{head}\r\n\r\n") }
    }

    /// Begins to read it; `None` if no thread can be started.
    pub(crate) fn read(&self) -> Option<Reading> {
        let Self { server, request } = self.clone();
        let thread = thread::Builder::new().name("ledger".to_owned());
        let reading = thread.spawn(move || Ledger::parse(&fetch(server, request.as_bytes()).ok()?));
        reading.ok().map(Reading)
    }
}

impl Reading {
    /// Waits for it; `None` if the server gave no report.
    pub(crate) fn wait(self) -> Option<Ledger> {
        self.0.join().ok().flatten()
    }
}

impl Ledger {
    /// Reads an answer with its head.
    fn parse(answer: &str) -> Option<Self> {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.1 200 ").then_some(())?;
        serde_json::from_str::<Report>(body).ok().map(|report| report.requests)
    }

    /// Returns the requests given up since `earlier` as a share of those admitted since then;
    /// `None` if none was. At most 1: some may have been admitted before.
    pub(crate) fn given_up_since(&self, earlier: &Ledger) -> Option<f64> {
        let admitted = self.admitted.saturating_sub(earlier.admitted);
        let lost = self.lost().saturating_sub(earlier.lost());
        (admitted > 0).then(|| (lost as f64 / admitted as f64).min(1.0))
    }

    fn lost(&self) -> u64 {
        self.lost.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(admitted: u64, lost: u64) -> Ledger {
        Ledger { admitted, lost: BTreeMap::from([("expired".to_owned(), lost)]) }
    }

    #[test]
    fn a_ledger_is_read_from_the_body_of_a_report() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n\
            {\"graph\":\"web\",\"requests\":{\"admitted\":9,\"answered\":6,\
            \"lost\":{\"expired\":2,\"delay\":1},\"open\":0}}";
        let found = Ledger::parse(answer).unwrap();
        assert_eq!((found.admitted, found.lost()), (9, 3));
        assert_eq!(Ledger::parse(&answer.replace("200 OK", "503 Busy")), None);
        assert_eq!(Ledger::parse("HTTP/1.1 200 OK\r\n\r\n{}"), None);
    }

    #[test]
    fn the_share_given_up_is_that_of_the_requests_between_two_ledgers() {
        assert_eq!(ledger(1_500, 6).given_up_since(&ledger(500, 5)), Some(0.001));
        assert_eq!(ledger(600, 205).given_up_since(&ledger(500, 5)), Some(1.0));
        assert_eq!(ledger(500, 5).given_up_since(&ledger(500, 5)), None);
    }
}
