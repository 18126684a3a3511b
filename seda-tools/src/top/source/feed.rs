//! Polls a server once a second on a thread of its own.

use super::server::Server;
use seda_core::history::History;
use seda_core::{Clock, MonotonicClock, Report};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryIter, channel};
use std::thread::Builder;
use std::time::Duration;

/// A server's windows of one second are read once each.
const PERIOD: Duration = Duration::from_secs(1);
/// The seconds that fill the sparklines after a break.
const MINUTE: usize = 60;

/// The result of a poll.
#[derive(Debug)]
pub(crate) enum News {
    /// The report of now.
    Report(Box<Report>),
    /// The last minute: after a break it fills the gap.
    Minute(History),
    /// The server does not answer, and why.
    Broken(String),
}

/// Polls until it is dropped.
#[derive(Debug)]
pub(crate) struct Feed {
    news: Receiver<News>,
    /// Dropping it ends the thread.
    _running: Sender<()>,
}

impl Feed {
    /// Starts to poll, the first time after a second.
    pub(crate) fn start(server: Server) -> io::Result<Self> {
        let (sender, news) = channel();
        let (running, stopped) = channel();
        let poll = move || Poller { server, is_broken: false }.poll(&sender, &stopped);
        Builder::new().name("feed".to_owned()).spawn(poll)?;
        Ok(Self { news, _running: running })
    }

    /// Returns the news since the last call.
    pub(crate) fn news(&self) -> TryIter<'_, News> {
        self.news.try_iter()
    }
}

/// The thread of a feed.
struct Poller {
    server: Server,
    is_broken: bool,
}

impl Poller {
    fn poll(&mut self, news: &Sender<News>, stopped: &Receiver<()>) {
        let clock = MonotonicClock::new();
        let mut due = clock.now().after(PERIOD);
        loop {
            // 1. Wait for the next second.
            match stopped.recv_timeout(due.since(clock.now())) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
            // 2. Ask, and tell.
            for found in self.ask() {
                if news.send(found).is_err() {
                    return;
                }
            }
            // 3. An answer that took longer than a second delays the next poll.
            due = due.after(PERIOD).max(clock.now());
        }
    }

    fn ask(&mut self) -> Vec<News> {
        match self.server.report() {
            Ok(report) => {
                let was_broken = std::mem::replace(&mut self.is_broken, false);
                let minute = was_broken.then(|| self.server.history(MINUTE).ok()).flatten();
                minute.map(News::Minute).into_iter().chain([News::Report(report)]).collect()
            }
            Err(error) => {
                self.is_broken = true;
                vec![News::Broken(error.to_string())]
            }
        }
    }
}
