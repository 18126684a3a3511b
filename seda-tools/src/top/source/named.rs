//! The source that the command line names: a server, or a saved report or history.

use super::document::{Document, DocumentError};
use super::server::{Server, ServerError};
use crate::experiment::admin::AdminError;
use crate::h1::{Url, UrlError};
use seda_core::Report;
use seda_core::history::History;
use std::fs;
use std::io;
use std::path::Path;
use thiserror::Error;

/// The seconds of a server's history that are replayed: all that it keeps.
const WHOLE: usize = 600;
/// The seconds that fill the sparklines at the start.
const MINUTE: usize = 60;

/// A source that has been read.
#[derive(Debug)]
pub(crate) enum Named {
    /// A running server: its report, and the last minute if it has a history.
    Live { server: Server, report: Box<Report>, minute: Option<History> },
    /// A history, from a file or a server.
    Recorded(History),
    /// A saved report.
    Saved(Box<Report>),
}

/// Why a source cannot be shown.
#[derive(Debug, Error)]
pub(crate) enum SourceError {
    #[error(
        "`{0}` is neither a file nor an address; give an address like http://127.0.0.1:8080, or \
         the file of a saved report or history"
    )]
    Unknown(String),
    #[error("{file}: {source}; name a readable file, or an address like http://127.0.0.1:8080")]
    File { file: String, source: io::Error },
    #[error("{file}: {source}")]
    Document { file: String, source: DocumentError },
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("{url}: {source}{}", remedy(.source))]
    Server { url: Box<Url>, source: ServerError },
    #[error(
        "{0} is a report of one moment; a replay needs a history: save one with `curl -o FILE \
         http://127.0.0.1:8080/_seda/history?seconds=600`"
    )]
    NoReplay(String),
}

impl SourceError {
    /// Returns true if the server answers, and has no such page.
    fn is_no_page(&self) -> bool {
        matches!(
            self,
            Self::Server { source: ServerError::Page(AdminError::Status { status: 404, .. }), .. }
        )
    }
}

fn remedy(error: &ServerError) -> String {
    error.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default()
}

impl Named {
    /// Reads what `name` names. With `replay`, that has to be a history, or a server that has one.
    pub(crate) fn open(name: &str, replay: bool) -> Result<Self, SourceError> {
        if name.starts_with("http:") || name.starts_with("https:") {
            return Self::of_server(name.parse()?, replay);
        }
        if Path::new(name).exists() {
            return Self::of_file(name, replay);
        }
        match name.parse::<Url>() {
            Ok(url) if is_address(name) => Self::of_server(url, replay),
            _ => Err(SourceError::Unknown(name.to_owned())),
        }
    }

    fn of_server(url: Url, replay: bool) -> Result<Self, SourceError> {
        let named = Server::new(url);
        let found = Self::of_pages(&named, replay);
        match (found, named.at_default()) {
            (Err(error), Some(other)) if error.is_no_page() => {
                Self::of_pages(&other, replay).map_err(|_| error)
            }
            (found, _) => found,
        }
    }

    fn of_pages(server: &Server, replay: bool) -> Result<Self, SourceError> {
        let failed =
            |page, source| SourceError::Server { url: Box::new(server.page(page)), source };
        if replay {
            let history = server.history(WHOLE);
            return history.map(Self::Recorded).map_err(|source| failed("history", source));
        }
        let report = server.report().map_err(|source| failed("report", source))?;
        // A graph has no history with too many stages, and while its first page is written.
        let minute = server.history(MINUTE).ok();
        Ok(Self::Live { server: server.clone(), report, minute })
    }

    fn of_file(name: &str, replay: bool) -> Result<Self, SourceError> {
        let file = || name.to_owned();
        let json = fs::read(name).map_err(|source| SourceError::File { file: file(), source })?;
        let document = Document::read(&json);
        match document.map_err(|source| SourceError::Document { file: file(), source })? {
            Document::History(history) => Ok(Self::Recorded(history)),
            Document::Report(_) if replay => Err(SourceError::NoReplay(file())),
            Document::Report(report) => Ok(Self::Saved(report)),
        }
    }
}

/// Returns true for `host:port` and `host:port/path`: a word alone is more likely a missing file.
fn is_address(name: &str) -> bool {
    let authority = name.split('/').next().unwrap_or_default();
    authority.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_file_and_no_address_is_named() {
        for name in ["histroy.json", "", "localhost", "./none", ":80"] {
            let error = Named::open(name, false).unwrap_err();
            assert!(matches!(error, SourceError::Unknown(_)), "{name}: {error}");
        }
        assert!(is_address("127.0.0.1:8080") && is_address("localhost:80/_seda"));
    }
}
