//! The side of the thread: it writes the lines.

use super::config::AccessLogConfig;
use super::queue::LogQueue;
use crate::reactor::Counters;
use crate::server::catch_panic;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::io::{self, Write};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The name of the thread.
const THREAD: &str = "access-log";

/// The most bytes of lines in one write, but for its last line. A batch takes one system call; one
/// for each line would cost more than the lines.
const BATCH_BYTES: usize = 64 * 1024;

/// Time that a server waits at its end for its last lines: a slow disk takes a full queue in less.
const END_LIMIT: Duration = Duration::from_secs(5);

/// The side of the thread. It writes lines until every reactor has ended.
pub(in crate::http) struct LogWriter {
    writer: Box<dyn Write + Send>,
    lines: Receiver<Vec<u8>>,
    counters: Arc<Counters>,
    /// Lines that go out in one write.
    batch: Vec<u8>,
    batched: u64,
    /// The writer has failed.
    is_broken: bool,
}

/// The running thread. Its drop waits for the last lines; the reactors have ended before.
#[derive(Debug)]
pub(in crate::http) struct LogThread {
    /// Ends with the thread.
    ended: Receiver<()>,
    /// `None` once it is joined.
    handle: Option<JoinHandle<()>>,
}

impl LogWriter {
    /// Returns the queue of lines for `writer`, and its other side. `None` if the log is off.
    pub(in crate::http) fn new(
        config: AccessLogConfig,
        writer: Box<dyn Write + Send>,
        counters: Arc<Counters>,
    ) -> Option<(LogQueue, Self)> {
        let format = config.format?;
        let (sender, lines) = bounded(config.queue);
        let queue = LogQueue { format, lines: sender, counters: Arc::clone(&counters) };
        let (batch, batched, is_broken) = (Vec::new(), 0, false);
        Some((queue, Self { writer, lines, counters, batch, batched, is_broken }))
    }

    /// Starts the thread.
    pub(in crate::http) fn start(mut self) -> io::Result<LogThread> {
        let (alive, ended) = bounded::<()>(0);
        let handle = Builder::new().name(THREAD.to_owned()).spawn(move || {
            let _alive: Sender<()> = alive;
            self.run();
        })?;
        Ok(LogThread { ended, handle: Some(handle) })
    }

    fn run(&mut self) {
        while let Ok(line) = self.lines.recv() {
            self.add(&line);
            while self.batch.len() < BATCH_BYTES
                && let Ok(line) = self.lines.try_recv()
            {
                self.add(&line);
            }
            self.write();
        }
    }

    fn add(&mut self, line: &[u8]) {
        self.batch.extend_from_slice(line);
        self.batched += 1;
    }

    /// Writes the batch, and flushes if no further line waits. Once the writer has failed, lines
    /// are dropped and counted.
    fn write(&mut self) {
        if !self.is_broken {
            self.is_broken = !self.try_write();
        }
        if self.is_broken {
            self.counters.dropped_log_lines.add(self.batched);
        }
        self.batch.clear();
        self.batched = 0;
    }

    /// Returns false if the writer fails, which is logged.
    fn try_write(&mut self) -> bool {
        let (writer, batch, flushes) = (&mut self.writer, &self.batch, self.lines.is_empty());
        let written = catch_panic("the writer of the access log", || {
            writer.write_all(batch)?;
            if flushes { writer.flush() } else { Ok(()) }
        });
        if let Some(Err(error)) = &written {
            tracing::error!(%error, "the access log cannot be written; its lines are dropped");
        }
        matches!(written, Some(Ok(())))
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        if self.ended.recv_timeout(END_LIMIT) == Err(RecvTimeoutError::Timeout) {
            tracing::error!("the access log does not end: its writer or a reactor does not return");
            return;
        }
        if self.handle.take().is_some_and(|handle| handle.join().is_err()) {
            tracing::error!("the thread of the access log panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::AccessLogFormat;
    use super::*;

    /// Sends what is written and "flush"; fails or panics at certain lines.
    struct Sink(Sender<Vec<u8>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert!(!bytes.starts_with(b"panic"), "on purpose");
            if bytes.starts_with(b"fail") {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.send(b"flush".to_vec()).map_err(io::Error::other)
        }
    }

    /// Returns what a writer gets of these lines, and the number of dropped ones.
    fn write_all(lines: &[&[u8]]) -> (Vec<u8>, u64) {
        let (sender, written) = crossbeam_channel::unbounded();
        let counters = Arc::<Counters>::default();
        let format = Some(AccessLogFormat::Combined);
        let config = AccessLogConfig { format, ..AccessLogConfig::default() };
        let sink = Box::new(Sink(sender));
        let (queue, writer) = LogWriter::new(config, sink, Arc::clone(&counters)).unwrap();
        for line in lines {
            queue.lines.send(line.to_vec()).unwrap();
        }
        drop(queue);
        drop(writer.start().unwrap());
        (written.try_iter().collect::<Vec<_>>().concat(), counters.dropped_log_lines.get())
    }

    #[test]
    fn the_end_of_the_reactors_ends_the_thread_after_all_lines_and_a_flush() {
        assert_eq!(write_all(&[b"1\n", b"2\n"]), (b"1\n2\nflush".to_vec(), 0));
        assert_eq!(write_all(&[]), (Vec::new(), 0));
    }

    #[test]
    fn the_lines_of_a_failed_writer_are_dropped_and_counted() {
        let long = vec![b'x'; BATCH_BYTES];
        for fault in [b"fail\n", b"panic"] {
            let (written, dropped) = write_all(&[&long, fault, b"2\n", &long, b"3\n"]);
            assert_eq!((written, dropped), (long.clone(), 4));
        }
    }

    #[test]
    fn no_format_is_no_log() {
        let counters = Arc::<Counters>::default();
        let config = AccessLogConfig::default();
        assert!(LogWriter::new(config, Box::new(io::sink()), counters).is_none());
    }
}
