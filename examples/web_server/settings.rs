//! Flags, and the file of `--config`:
//!
//! ```toml
//! [http]
//! listen = ["127.0.0.1:8080", "unix:/run/site/http.sock"]
//! deadline = "1s"
//! admin.at = "127.0.0.1:9090"
//!
//! [files]
//! memory = 67108864
//! cache_control = [{ path = "/assets/*", value = "public, max-age=86400" }]
//!
//! [graph]
//! slo.p99 = "200ms"
//! budget = 2048
//! stages.work.workers = "1..4"
//! control.pool_size = "observe"
//! ```
//!
//! The file is read again after SIGHUP; `[http]` and `[files]` only change with a restart.

use crate::file;
use clap::Parser;
use seda::http::header::HeaderName;
use seda::http::{AccessLogFormat, AdminPlace, FilesConfig, HttpConfig, ListenerConfig};
#[cfg(feature = "tls")]
use seda::http::{CertificateFiles, TlsConfig};
use seda::units::parse_duration;
use seda::{ControlConfig, GraphConfig, Law, Mode, ParseWordError, StageConfig, WorkerRange};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// A web server as a graph of stages.
#[derive(Debug, Default, Parser)]
pub(crate) struct Flags {
    /// Place to listen at: an address (port 0 picks a free one), a port of 127.0.0.1, unix:FILE, or
    /// inherited for the sockets of the parent. May be repeated [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR|unix:FILE|inherited")]
    pub(crate) listen: Vec<ListenerConfig>,
    /// Place of report and graph: off, a path like /_seda, an address or port of their own, or
    /// unix:FILE [default: /_seda if only this machine reaches --listen, else off]
    #[arg(long, value_name = "off|PATH|ADDR|unix:FILE")]
    pub(crate) admin: Option<AdminPlace>,
    /// Serve the files of a directory instead of the demo site
    #[arg(long, value_name = "DIR", conflicts_with = "site_from")]
    pub(crate) root: Option<PathBuf>,
    /// Serve every path of a recorded log, with its statuses and sizes: an access log in the Common
    /// or Combined Log Format, or tab-separated columns
    #[arg(long, value_name = "LOG")]
    pub(crate) site_from: Option<PathBuf>,
    /// Workers of the stages `work` and `sleep`
    #[arg(long, value_name = "MIN..MAX")]
    pub(crate) workers: Option<WorkerRange>,
    /// Age at which the answer to a request becomes worthless: 1ms to 1day
    #[arg(long, value_name = "1s", value_parser = parse_duration, allow_hyphen_values = true)]
    pub(crate) deadline: Option<Duration>,
    /// The SLO: response time of 99 % of the answers, 1ms to 10m
    #[arg(long, value_name = "200ms", value_parser = parse_duration, allow_hyphen_values = true)]
    pub(crate) slo: Option<Duration>,
    /// Field whose value names the tenant of a request; tenants share fairly under overload
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant_header: Option<HeaderName>,
    /// Settings from a TOML file, read again after SIGHUP; flags override it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Mode of all controllers: on, observe or off; or of one, like admission=observe. May be
    /// repeated; modes are set in that order. Controllers: pool_size, outstanding, batch_size,
    /// admission, valve, queue_delay, hotspot
    #[arg(long, value_name = "[NAME=]MODE", value_parser = control)]
    pub(crate) control: Vec<Control>,
    /// Append a line per request to a file, or to standard output with `-`, in the form of
    /// `http.access_log.format` [default: combined]
    #[arg(long, value_name = "FILE|-")]
    pub(crate) access_log: Option<PathBuf>,
    /// After SIGTERM, time to serve on while /readyz answers 503 and each connection is closed
    /// after its next answer: how long a balancer takes to see it [default: 0s]
    #[arg(long, value_name = "10s", value_parser = parse_duration, allow_hyphen_values = true)]
    pub(crate) lame_duck: Option<Duration>,
    /// Tell in Server-Timing how long a request waited for each stage and was served by it
    #[arg(long)]
    pub(crate) server_timing: bool,
    /// Write the last ten minutes, second by second, to a file: after SIGUSR1 and at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,
    /// Encrypt all listeners, with this certificate and its issuers in PEM; read again after SIGHUP
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE.pem", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of the certificate
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE.pem", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Admission law: drain_rate, aimd, credits or gradient
    #[arg(long, value_name = "LAW")]
    pub(crate) law: Option<Law>,
}

/// The settings in the file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) http: HttpConfig,
    /// The files of `--root`.
    pub(crate) files: FilesConfig,
    pub(crate) graph: GraphConfig,
    /// The field that names the tenant; only a flag sets it.
    #[serde(skip)]
    pub(crate) tenant_header: Option<HeaderName>,
    /// The file of the access log; only a flag sets it.
    #[serde(skip)]
    pub(crate) access_log: Option<PathBuf>,
}

impl Settings {
    /// Returns the settings of the file, overridden by the flags.
    pub(crate) fn from_flags(flags: &Flags) -> Result<Self, String> {
        let mut settings = match &flags.config {
            Some(file) => file::read(file)?,
            None => Self::default(),
        };
        if !flags.listen.is_empty() {
            settings.http.listen = flags.listen.iter().cloned().collect();
        }
        #[cfg(feature = "tls")]
        encrypt(&mut settings.http, flags);
        if let Some(place) = &flags.admin {
            settings.http.admin.at = place.clone();
        }
        settings.tenant_header.clone_from(&flags.tenant_header);
        settings.access_log.clone_from(&flags.access_log);
        if flags.access_log.is_some() {
            let format = &mut settings.http.access_log.format;
            *format = format.or(Some(AccessLogFormat::Combined));
        }
        if let Some(lame_duck) = flags.lame_duck {
            settings.http.closing.lame_duck = lame_duck;
        }
        settings.http.access_log.server_timing |= flags.server_timing;
        if flags.deadline.is_some() {
            settings.http.deadline = flags.deadline;
        }
        let control = &mut settings.graph.control;
        for (controller, mode) in &flags.control {
            match controller {
                None => control.set_mode(*mode),
                Some(controller) => {
                    control.set_mode_of(controller, *mode).map_err(|error| error.to_string())?;
                }
            }
        }
        if let Some(law) = flags.law {
            control.law = law;
        }
        if flags.slo.is_some() {
            settings.graph.slo.p99 = flags.slo;
        }
        for stage in ["work", "sleep"].into_iter().filter(|_| flags.workers.is_some()) {
            let config = settings.graph.stages.entry(stage.to_owned());
            config.or_insert_with(StageConfig::default).workers = flags.workers;
        }
        Ok(settings)
    }
}

/// Encrypts all listeners with the certificate that the flags name, if they do.
#[cfg(feature = "tls")]
fn encrypt(http: &mut HttpConfig, flags: &Flags) {
    let (Some(chain), Some(key)) = (&flags.tls_cert, &flags.tls_key) else { return };
    let mut tls = TlsConfig::default();
    tls.certificates.push(CertificateFiles::new(chain, key));
    let listeners = http.listen.listeners().iter().cloned();
    let encrypted = listeners.map(|mut listener| {
        listener.tls = Some(tls.clone());
        listener
    });
    http.listen = encrypted.collect();
}

/// A controller, or `None` for all of them, and its mode.
type Control = (Option<String>, Mode);

/// Reads a mode, or a controller and its mode.
fn control(text: &str) -> Result<Control, String> {
    let Some((controller, mode)) = text.split_once('=') else {
        let one = "or for one controller, like admission=observe";
        return text.parse().map(|mode| (None, mode)).map_err(|error| format!("{error}; {one}"));
    };
    let mode = mode.parse().map_err(|error: ParseWordError| error.to_string())?;
    let known = ControlConfig::default().set_mode_of(controller, mode);
    known.map(|()| (Some(controller.to_owned()), mode)).map_err(|error| error.to_string())
}
