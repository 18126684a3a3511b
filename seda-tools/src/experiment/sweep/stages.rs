//! The stages of a seda server, read from `/_seda/report` before and after a load.

use super::report::StagePoint;
use crate::load::address::ServerAddress;
use seda_core::Report;
use seda_core::report::StageReport;
use std::io::{self, Read};
use std::time::Duration;

/// The timeout of connecting, writing and reading. The server answers from a ready snapshot; a
/// slower answer is not worth a delay of the benchmark.
const REPORT_TIMEOUT: Duration = Duration::from_millis(500);
/// The largest report in bytes; one of hundreds of stages is smaller.
const MAX_REPORT: u64 = 4 << 20;

/// Returns the report of the server at `address`; `None` if it is not a seda server.
pub(super) fn report(address: &ServerAddress, authority: &str) -> Option<Report> {
    serde_json::from_slice(&fetch_report(address, authority).ok()?).ok()
}

/// Returns the text of the report of the server at `address`.
///
/// # Errors
/// The server cannot be reached, or it has no report.
pub(crate) fn fetch_report(address: &ServerAddress, authority: &str) -> io::Result<Vec<u8>> {
    let answer = fetch(address, authority)?;
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    match head.and_then(|head| answer.split_at_checked(head + 4)) {
        Some((head, body)) if head.starts_with(b"HTTP/1.1 200 ") => Ok(body.to_vec()),
        _ => Err(io::Error::other("the answer to GET /_seda/report is no report")),
    }
}

fn fetch(address: &ServerAddress, authority: &str) -> io::Result<Vec<u8>> {
    let mut stream = address.connect(REPORT_TIMEOUT)?;
    let request =
        format!("GET /_seda/report HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MAX_REPORT).read_to_end(&mut answer)?;
    Ok(answer)
}

/// Returns the work of the stages between two reports.
pub(super) fn between(before: &Report, after: &Report) -> Vec<StagePoint> {
    let stages = before.stages.iter().zip(&after.stages);
    stages.map(|(before, after)| StagePoint::between(before, after)).collect()
}

impl StagePoint {
    /// Counts are differences of the two reports; the rest is that of `after`.
    fn between(before: &StageReport, after: &StageReport) -> Self {
        let earlier = Self::of(before);
        let later = Self::of(after);
        Self {
            handled: later.handled.saturating_sub(earlier.handled),
            refused: later.refused.saturating_sub(earlier.refused),
            shed: later.shed.saturating_sub(earlier.shed),
            ..later
        }
    }
}
