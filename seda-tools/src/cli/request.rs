//! Flags of the requests that `load`, `sweep` and `step` share.

use super::error::CliError;
use super::{input, output};
use crate::h1::{RequestError, RequestShape, Url};
use crate::load::mix::Mix;
use crate::load::trace::{SkipLimit, Trace};
use crate::load::workload::Workload;
use clap::Args;
use http::Method;
use http::header::AUTHORIZATION;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The requests.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Request")]
pub(super) struct RequestFlags {
    /// The method [default: GET]
    #[arg(long, short = 'X', value_name = "METHOD", conflicts_with = "trace")]
    method: Option<String>,
    /// A further header, like "Accept: text/html"; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The body of each request; @FILE is the content of a file, @- of standard input
    #[arg(long, short = 'd', value_name = "TEXT|@FILE", conflicts_with = "body_file")]
    body: Option<String>,
    /// A file with the body of each request
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// Paths by weight instead of the URL's: "/work?micros=1000=9,/=1"; headers of one entry stand
    /// before it: "{priority: u=0} /=1"
    #[arg(long, value_name = "PATH=WEIGHT,...", conflicts_with = "trace")]
    mix: Option<Mix>,
    /// The paths of a recorded trace, and its arrivals unless a rate is given: an access log
    /// (Common or Combined Log Format, or TSV), or arrivals with their work
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// The largest share of malformed lines of the trace that are skipped [default: 1%]
    #[arg(long, value_name = "PERCENT", requires = "trace")]
    skip_limit: Option<SkipLimit>,
    /// Open a connection for each request
    #[arg(long)]
    no_keep_alive: bool,
    /// The right statuses, instead of 200 to 399
    #[arg(long, value_name = "STATUS,...", value_delimiter = ',', value_parser = input::status)]
    pub(super) expect: Vec<u16>,
}

impl RequestFlags {
    /// Returns the trace; `None` if the flag is not set.
    pub(super) fn trace(&self) -> Result<Option<Trace>, CliError> {
        let limit = self.skip_limit.unwrap_or_default();
        let read = |file: &Path| Trace::open_limited(file, limit);
        Ok(self.trace.as_deref().map(read).transpose()?)
    }

    /// Returns the requests to the server at `url`: those of the trace, of the mix, or of the URL.
    pub(super) fn workload(&self, url: &Url, trace: Option<&Trace>) -> Result<Workload, CliError> {
        let shape = self.shape(url)?;
        let method = self.method.as_deref().unwrap_or("GET");
        let has_paths = trace.is_some() || self.mix.is_some();
        if has_paths && url.target() != "/" {
            let flag = if trace.is_some() { "--trace" } else { "--mix" };
            let target = url.target();
            output::tell(&format_args!(
                "warning: {target} of the URL is not asked for: {flag} names the paths"
            ));
        }
        Ok(match (trace, &self.mix) {
            (Some(trace), _) => Workload::trace(&shape, trace)?,
            (None, Some(mix)) => {
                let parsed = Method::from_bytes(method.as_bytes());
                let method = parsed.map_err(|_| RequestError::Method(method.to_owned()))?;
                Workload::mix(&shape, mix.clone().with_method(&method))?
            }
            (None, None) => Workload::single(&shape, method, url.target())?,
        })
    }

    /// Returns the parts that all requests share.
    fn shape(&self, url: &Url) -> Result<RequestShape, CliError> {
        let mut shape = RequestShape::new(url.authority());
        for header in &self.headers {
            shape.header(header)?;
        }
        let has_credentials = shape.headers.iter().any(|(name, _)| *name == AUTHORIZATION);
        if let Some(credentials) = url.authorization().filter(|_| !has_credentials) {
            shape.headers.push((AUTHORIZATION, credentials.clone()));
        }
        shape.keep_alive = !self.no_keep_alive;
        shape.body = self.read_body()?;
        Ok(shape)
    }

    fn read_body(&self) -> Result<Vec<u8>, CliError> {
        if let Some(file) = &self.body_file {
            return output::read("--body-file", file);
        }
        let Some(text) = &self.body else { return Ok(Vec::new()) };
        match text.strip_prefix('@') {
            Some("-") => {
                let mut body = Vec::new();
                io::stdin().read_to_end(&mut body).map_err(CliError::Stdin)?;
                Ok(body)
            }
            Some(file) => output::read("--body", Path::new(file)),
            None => Ok(text.clone().into_bytes()),
        }
    }
}
