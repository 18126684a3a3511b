//! Looks into a seda server from outside: `/_seda/report`, before and after a load.

use super::report::StagePoint;
use seda_core::Report;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A report comes from a snapshot that is ready; what takes longer is not worth holding a
/// benchmark up for.
const PATIENCE: Duration = Duration::from_millis(500);
/// More than a report of hundreds of stages has.
const MAX_REPORT: u64 = 4 << 20;

/// The report of the server at `address`, if it is one of seda's.
pub(super) fn report(address: SocketAddr, authority: &str) -> Option<Report> {
    let answer = fetch(address, authority).ok()?;
    let head_end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, body) = answer.split_at_checked(head_end + 4)?;
    if !head.starts_with(b"HTTP/1.1 200 ") {
        return None;
    }
    serde_json::from_slice(body).ok()
}

fn fetch(address: SocketAddr, authority: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request =
        format!("GET /_seda/report HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MAX_REPORT).read_to_end(&mut answer)?;
    Ok(answer)
}

/// What the stages did between two reports.
pub(super) fn between(before: &Report, after: &Report) -> Vec<StagePoint> {
    let stage = |(was, is): (&seda_core::report::StageReport, &seda_core::report::StageReport)| {
        let more = |now: u64, then: u64| now.saturating_sub(then);
        StagePoint {
            name: is.name.clone(),
            depth: is.queue.depth as u64,
            workers: is.workers.now as u64,
            utilization: is.utilization,
            handled: more(is.handled, was.handled),
            refused: more(is.refused.values().sum(), was.refused.values().sum()),
            shed: more(is.shed.values().sum(), was.shed.values().sum()),
        }
    };
    before.stages.iter().zip(&after.stages).map(stage).collect()
}
