//! Requests at times that were drawn before, whatever becomes of them.

use crate::connection::{Connection, RequestError};
use crate::outcomes::{Outcome, Outcomes};
use http_body_util::Empty;
use hyper::{Request, StatusCode, http};
use seda_tools::arrivals::{Arrivals, Process, Profile, ProfileError};
use seda_tools::{Url, UrlError};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

/// The settings of a load.
pub(crate) struct Load {
    pub(crate) url: Url,
    pub(crate) rate: f64,
    pub(crate) streams: usize,
    pub(crate) duration: Duration,
    pub(crate) slo: Duration,
    pub(crate) timeout: Duration,
    pub(crate) seed: u64,
}

/// A load that cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("the URL makes no request: {0}")]
    Request(#[from] http::Error),
    #[error("--rate and --duration: {0}")]
    Profile(#[from] ProfileError),
    #[error("{0}; is the server up, and does it speak HTTP/2 without TLS?")]
    Connect(#[from] RequestError),
    #[error("the runtime of the load cannot start: {0}")]
    Runtime(#[from] io::Error),
}

/// What all requests of a load share.
struct Client {
    connection: Connection,
    /// A place for each stream.
    streams: Semaphore,
    uri: String,
    slo: Duration,
    timeout: Duration,
}

impl Load {
    /// Sends all requests, and returns what became of them.
    pub(crate) async fn run(self) -> Result<Outcomes, LoadError> {
        let arrivals = self.arrivals()?;
        let client = Arc::new(self.client().await?);
        let began = Instant::now();
        let mut requests = JoinSet::new();
        let mut outcomes = Outcomes::default();
        for nanos in arrivals {
            let due = began + Duration::from_nanos(nanos);
            sleep_until(due).await;
            requests.spawn(Arc::clone(&client).send(due));
            // Those that have ended: the set stays as small as the requests under way.
            while let Some(Ok(outcome)) = requests.try_join_next() {
                outcomes.add(outcome);
            }
        }
        requests.join_all().await.into_iter().for_each(|outcome| outcomes.add(outcome));
        Ok(outcomes)
    }

    fn arrivals(&self) -> Result<Arrivals, LoadError> {
        let profile = Profile::constant(self.rate, self.duration)?;
        Ok(Arrivals::drawn(Process::Poisson, &profile, self.seed))
    }

    /// Returns a client that is connected: a wrong address shows before the load.
    async fn client(self) -> Result<Client, LoadError> {
        let Self { url, streams, slo, timeout, .. } = self;
        let uri = format!("http://{}{}", url.authority(), url.target());
        Request::get(&uri).body(())?;
        let address = url.resolve()?.into_iter().next();
        let address = address.ok_or_else(|| io::Error::other("the host has no address"))?;
        let connection = Connection::to(address, streams);
        connection.sender().await?;
        Ok(Client { connection, streams: Semaphore::new(streams), uri, slo, timeout })
    }
}

impl Client {
    /// Sends a request that is due, and returns its outcome at the timeout at the latest.
    async fn send(self: Arc<Self>, due: Instant) -> Outcome {
        match timeout_at(due + self.timeout, self.ask()).await {
            Err(_elapsed) => Outcome::TimedOut,
            Ok(None) => Outcome::Failed,
            Ok(Some(StatusCode::SERVICE_UNAVAILABLE)) => Outcome::Refused(due.elapsed()),
            Ok(Some(status)) if !status.is_success() => Outcome::Failed,
            Ok(Some(_)) if due.elapsed() <= self.slo => Outcome::Good(due.elapsed()),
            Ok(Some(_)) => Outcome::Late(due.elapsed()),
        }
    }

    /// Returns the status of an answer; `None` without one.
    async fn ask(&self) -> Option<StatusCode> {
        let _stream = self.streams.acquire().await.ok()?;
        let request = Request::get(&self.uri).body(Empty::new()).ok()?;
        self.connection.ask(request).await.ok()
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
