//! A service outside of the graph.

use seda_core::{Clock, MonotonicClock, Time};
use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

type Done = Box<dyn FnOnce() + Send>;

/// A request to the service: its service time, and what to do at its end.
struct Call {
    time: Duration,
    done: Done,
}

/// A client of the service. The service ends with its last client.
#[derive(Clone)]
pub(crate) struct Remote(Sender<Call>);

impl Remote {
    /// Starts a service that serves `servers` requests at once, or any number.
    ///
    /// # Errors
    /// The service's thread does not start.
    pub(crate) fn start(servers: Option<usize>) -> std::io::Result<Self> {
        let (sender, calls) = channel();
        let servers = servers.unwrap_or(usize::MAX);
        let service = Service { clock: MonotonicClock::new(), servers, ..Service::default() };
        let thread = std::thread::Builder::new().name("remote".to_owned());
        thread.spawn(move || service.run(&calls))?;
        Ok(Self(sender))
    }

    /// Calls `done` once the service has spent `millis` on the request.
    pub(crate) fn call(&self, millis: f64, done: impl FnOnce() + Send + 'static) {
        let time = Duration::from_secs_f64(millis.max(0.0) / 1e3);
        // A service that has ended drops the request, which then counts as lost.
        let _ = self.0.send(Call { time, done: Box::new(done) });
    }
}

/// The service: requests in service by their end, and a queue.
#[derive(Default)]
struct Service {
    clock: MonotonicClock,
    servers: usize,
    in_service: BTreeMap<(Time, u64), Done>,
    waiting: VecDeque<Call>,
    begun: u64,
}

impl Service {
    fn run(mut self, calls: &Receiver<Call>) {
        const LONG: Duration = Duration::from_secs(1);
        loop {
            let now = self.clock.now();
            self.end_due(now);
            let next = self.in_service.first_key_value();
            let left = next.map_or(LONG, |((due, _), _)| due.since(now));
            match calls.recv_timeout(left) {
                Ok(call) => self.waiting.push_back(call),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.begin();
        }
    }

    fn begin(&mut self) {
        while self.in_service.len() < self.servers
            && let Some(call) = self.waiting.pop_front()
        {
            self.begun += 1;
            let due = self.clock.now().after(call.time);
            self.in_service.insert((due, self.begun), call.done);
        }
    }

    fn end_due(&mut self, now: Time) {
        while let Some(first) = self.in_service.first_entry()
            && first.key().0 <= now
        {
            (first.remove())();
            self.begin();
        }
    }
}
