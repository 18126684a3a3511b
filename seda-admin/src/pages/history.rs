//! The history as JSON. It may have megabytes, so it is written on a thread of its own, neither on
//! the control thread nor on that of a transport.

use super::queue::Respond;
use crate::answer::AdminAnswer;
use bytes::Bytes;
use parking_lot::Mutex;
use seda_core::{Clock, MonotonicClock, Snapshots, Time};
use std::fmt;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

/// A page lasts at least this long, because the history gains a record a second.
const AGE_LEAST: Duration = Duration::from_secs(1);

/// A page lasts at least this many times the time that it took: writing takes 5 % of a core at
/// most.
const AGE_PER_COST: u32 = 20;

/// A part of the history that is shown. Few lengths are told apart, so that few pages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    TenSeconds,
    Minute,
    TenMinutes,
}

impl Past {
    /// Returns the least part with this number of seconds; `None` if there is none.
    pub(crate) fn of(seconds: usize) -> Option<Self> {
        let all = [Self::TenSeconds, Self::Minute, Self::TenMinutes];
        all.into_iter().find(|part| seconds > 0 && part.seconds() >= seconds)
    }

    fn seconds(self) -> usize {
        match self {
            Self::TenSeconds => 10,
            Self::Minute => 60,
            Self::TenMinutes => 600,
        }
    }
}

/// The pages of the history.
#[derive(Clone)]
pub(crate) struct HistoryPages {
    snapshots: Snapshots,
    clock: Arc<dyn Clock>,
    /// The lock guards the pages that were written last.
    written: Arc<Mutex<Vec<Written>>>,
}

/// A page, or the place of one that is being written for the first time.
struct Written {
    past: Past,
    bytes: Option<Bytes>,
    /// The time from which a new one may be written; [`Time::NEVER`] while one is.
    due: Time,
}

impl HistoryPages {
    pub(crate) fn new(snapshots: Snapshots) -> Self {
        let clock = Arc::new(MonotonicClock::new());
        Self { snapshots, clock, written: Arc::default() }
    }

    /// Returns the page if it is recent, or one is being written. If not, `respond` gets it later,
    /// on a thread of its own.
    pub(crate) fn answer(&self, past: Past, respond: Respond) -> Option<AdminAnswer> {
        let now = self.clock.now();
        {
            let mut written = self.written.lock();
            let known = written.iter_mut().find(|page| page.past == past);
            match known {
                Some(page) if now < page.due => {
                    let bytes = page.bytes.clone();
                    return Some(bytes.map_or_else(AdminAnswer::too_many, json));
                }
                Some(page) => page.due = Time::NEVER,
                None => written.push(Written { past, bytes: None, due: Time::NEVER }),
            }
        }
        let pages = self.clone();
        let thread = Builder::new().name("history".to_owned());
        match thread.spawn(move || respond(pages.write(past, now))) {
            Ok(_) => None,
            Err(error) => {
                tracing::error!(%error, "the history cannot be written");
                self.keep(past, None, now);
                Some(AdminAnswer::text(503, "the machine has no thread for the history\n"))
            }
        }
    }

    fn write(&self, past: Past, began: Time) -> AdminAnswer {
        let history = self.snapshots.history(past.seconds());
        let bytes = match serde_json::to_vec(&history) {
            Ok(json) => Bytes::from(json),
            // Unreachable: a history has string keys and plain numbers.
            Err(error) => {
                tracing::error!(%error, "cannot write a history as JSON");
                Bytes::from_static(b"null")
            }
        };
        let cost = self.clock.now().since(began);
        let due = began.after(AGE_LEAST.max(cost * AGE_PER_COST));
        self.keep(past, Some(bytes.clone()), due);
        json(bytes)
    }

    /// Keeps a page until `due`; without one, the page before it.
    fn keep(&self, past: Past, bytes: Option<Bytes>, due: Time) {
        let mut written = self.written.lock();
        if let Some(page) = written.iter_mut().find(|page| page.past == past) {
            page.due = due;
            page.bytes = bytes.or(page.bytes.take());
        }
    }
}

fn json(bytes: Bytes) -> AdminAnswer {
    AdminAnswer::page("application/json", bytes)
}

impl fmt::Debug for HistoryPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HistoryPages")
    }
}
