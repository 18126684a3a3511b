//! The side of a reactor: it formats lines and queues them.

use super::config::AccessLogFormat;
use super::line;
use super::record::{Record, Sent};
use crate::h1::RequestHead;
use crate::reactor::Counters;
use crossbeam_channel::Sender;
use seda_core::Clock;
use std::sync::Arc;

/// The queue of lines, before it has a reactor.
#[derive(Clone, Debug)]
pub(in crate::http) struct LogQueue {
    pub(super) format: AccessLogFormat,
    pub(super) lines: Sender<Vec<u8>>,
    pub(super) counters: Arc<Counters>,
}

/// The access log of one reactor.
#[derive(Debug)]
pub(in crate::http) struct AccessLog {
    queue: LogQueue,
    clock: Arc<dyn Clock>,
}

impl LogQueue {
    pub(in crate::http) fn on(self, clock: Arc<dyn Clock>) -> AccessLog {
        AccessLog { queue: self, clock }
    }
}

impl AccessLog {
    /// Returns the record of a request that begins now; `head` is `None` if it is malformed.
    pub(in crate::http) fn record(&self, head: Option<&RequestHead>) -> Record {
        Record::new(head, self.clock.now())
    }

    /// Queues the line of an answered request. It is dropped and counted if the queue is full.
    /// `date` is an IMF-fixdate.
    pub(in crate::http) fn write(&self, record: &Record, sent: &Sent<'_>, date: &[u8; 29]) {
        let LogQueue { format, lines, counters } = &self.queue;
        // A full queue costs no formatting.
        let line = (!lines.is_full()).then(|| match format {
            AccessLogFormat::Combined => line::combined(record, sent, date),
            AccessLogFormat::Json => {
                let duration = self.clock.now().since(record.began);
                line::json(record, sent, duration, date)
            }
        });
        let is_queued = line.flatten().is_some_and(|line| lines.try_send(line).is_ok());
        if !is_queued {
            counters.dropped_log_lines.count();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;
    use http::{StatusCode, Version};
    use seda_core::ManualClock;
    use std::time::Duration;

    const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

    #[test]
    fn a_full_queue_drops_lines_and_counts_them() {
        let (lines, queued) = bounded(2);
        let counters = Arc::<Counters>::default();
        let format = AccessLogFormat::Json;
        let clock = Arc::new(ManualClock::new());
        let queue = LogQueue { format, lines, counters: Arc::clone(&counters) };
        let log = queue.on(Arc::clone(&clock) as Arc<dyn Clock>);
        let sent = Sent {
            client: Some([192, 0, 2, 1].into()),
            version: Version::HTTP_11,
            status: StatusCode::OK,
            bytes: Some(0),
            id: None,
            is_refused: false,
        };
        for _ in 0..5 {
            let record = log.record(None);
            clock.advance(Duration::from_millis(250));
            log.write(&record, &sent, DATE);
        }
        assert_eq!(counters.dropped_log_lines.get(), 3);
        let lines: Vec<_> = queued.try_iter().collect();
        assert_eq!(lines.len(), 2);
        assert!(String::from_utf8_lossy(&lines[0]).contains("\"duration_seconds\":0.25,"));
    }
}
