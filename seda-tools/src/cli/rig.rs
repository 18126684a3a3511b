//! The rig that the flags describe.

use super::error::CliError;
use super::limits::LimitFlags;
use super::output::{self, OutputFlags};
use super::progress::ProgressLine;
use super::request::RequestFlags;
use super::signals::stop_on_signal;
use crate::experiment::sweep::Live;
use crate::generator::{self, Observer};
use crate::h1::Url;
use crate::load::address::ServerAddress;
use crate::load::plan::{LoadPlan, Pace};
#[cfg(feature = "tls")]
use crate::load::tls::TlsClient;
use crate::load::trace::Trace;
use crate::watch::Watcher;
use clap::Args;
use std::time::Duration;

/// The time in which the server must accept a first connection before the load begins.
const FIRST_CONNECTION: Duration = Duration::from_secs(1);

/// The flags that `load`, `sweep` and `step` share.
#[derive(Clone, Debug, Args)]
pub(super) struct CommonFlags {
    /// The server, like http://127.0.0.1:8080/work?micros=1000; in its path an n in braces is the
    /// number of the request, and {uuid} a random identifier
    #[arg(help_heading = None::<&str>)]
    pub(super) url: Url,
    #[command(flatten)]
    pub(super) request: RequestFlags,
    #[command(flatten)]
    pub(super) limits: LimitFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

impl CommonFlags {
    /// Returns a rig that runs loads against the server. `pace` is checked; each load has its own.
    /// Nothing is sent before everything is checked.
    pub(super) fn rig(
        &self,
        trace: Option<&Trace>,
        pace: Pace,
        deadline: Duration,
        bin: Option<Duration>,
    ) -> Result<Live, CliError> {
        let addresses = self.addresses()?;
        let first = addresses.first().cloned();
        let mut plan = LoadPlan {
            workload: self.request.workload(&self.url, trace)?,
            pace,
            warm_up: Duration::ZERO,
            cool_down: Duration::ZERO,
            slos: self.limits.slos(),
            deadline,
            retry: self.limits.retry(),
            expected: self.request.expect.clone(),
            connections: self.limits.connections,
            threads: self.limits.threads,
            seed: self.limits.seed,
            bin,
            address: first.ok_or_else(|| CliError::NoAddress(self.url.clone()))?,
            url: self.url.clone(),
        };
        generator::check(&plan)?;
        let watcher = self.output.pid.map(Watcher::open).transpose()?;
        plan.address = reachable(&addresses).unwrap_or(plan.address);
        let stop = stop_on_signal().map_err(CliError::Signals)?;
        Ok(Live::new(plan, stop, watcher, self.observer()))
    }

    /// Returns the addresses of the server: at least one.
    fn addresses(&self) -> Result<Vec<ServerAddress>, CliError> {
        if let Some(path) = &self.limits.unix_socket {
            if self.url.is_secure() {
                return Err(CliError::SecureUnix(self.url.clone()));
            }
            return Ok(vec![ServerAddress::Unix(path.clone())]);
        }
        let addresses = match self.limits.connect_to {
            Some(address) => vec![address],
            None => self.url.resolve()?,
        };
        #[cfg(feature = "tls")]
        if self.url.is_secure() {
            let client = TlsClient::new(self.url.host(), &self.limits.trust())?;
            let secure = addresses.into_iter().map(|at| ServerAddress::Tls(at, client.clone()));
            return Ok(secure.collect());
        }
        Ok(addresses.into_iter().map(ServerAddress::from).collect())
    }

    fn observer(&self) -> Box<dyn Observer> {
        if self.output.quiet { Box::new(()) } else { Box::new(ProgressLine::new()) }
    }
}

/// Returns the first address that accepts a connection. If none does, warns on standard error.
fn reachable(addresses: &[ServerAddress]) -> Option<ServerAddress> {
    let mut failed = None;
    for address in addresses {
        match address.connect(FIRST_CONNECTION, FIRST_CONNECTION) {
            Ok(_) => return Some(address.clone()),
            Err(error) => failed = failed.or(Some((address, error))),
        }
    }
    let (address, error) = failed?;
    output::tell(&format_args!(
        "warning: {address} accepts no connection ({error}); the load begins anyway"
    ));
    None
}
