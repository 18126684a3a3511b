//! The reasons why a file is not sent, each with its status.

use crate::reactor::Body;
use http::{HeaderValue, Response, StatusCode, header};
use rustix::io::Errno;
use std::io;

/// The time after which a client may ask again for a file that could not be opened, in seconds:
/// descriptors come free with the next answers.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// The reason why a file is not sent.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no such file, or it is none to serve.
    NotFound,
    /// The path names a directory.
    Directory,
    /// The process may not read it.
    Forbidden,
    /// The client accepts no coding that there is.
    NotAcceptable,
    /// The machine lacks descriptors or memory, or the file changes while it is read.
    Unavailable,
    /// The disk, or a defect.
    Io(io::Error),
    /// An answer would have to wait for the disk, and the caller cannot.
    WouldBlock,
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        match error {
            // No file, a link that leads out of the root or in a circle, a file used as a
            // directory, a name that no file can have, a socket, a device without a driver.
            Errno::NOENT
            | Errno::XDEV
            | Errno::LOOP
            | Errno::NOTDIR
            | Errno::NAMETOOLONG
            | Errno::INVAL
            | Errno::ILSEQ
            | Errno::NXIO
            | Errno::NODEV => Self::NotFound,
            Errno::ISDIR => Self::Directory,
            Errno::ACCESS | Errno::PERM => Self::Forbidden,
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => Self::Unavailable,
            error => Self::Io(error.into()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(errno) => errno.into(),
            None => Self::Io(error),
        }
    }
}

impl Failure {
    /// Returns the answer to a request for `path`. A read error is logged.
    pub(super) fn answer(self, path: &str) -> Response<Body> {
        match self {
            Self::NotFound | Self::Directory => text(StatusCode::NOT_FOUND, "not found\n"),
            Self::Forbidden => text(StatusCode::FORBIDDEN, "not readable\n"),
            Self::NotAcceptable => {
                text(StatusCode::NOT_ACCEPTABLE, "there is no coding that you accept\n")
            }
            Self::Unavailable | Self::WouldBlock => {
                let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, "the server is busy\n");
                answer.headers_mut().insert(header::RETRY_AFTER, RETRY_SECONDS);
                answer
            }
            Self::Io(error) => {
                tracing::error!(%error, path, "cannot read a file");
                text(StatusCode::INTERNAL_SERVER_ERROR, "the file cannot be read\n")
            }
        }
    }
}

/// Returns an answer of plain text.
pub(super) fn text(status: StatusCode, line: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::from(line));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_is_not_not_found_has_no_status_that_caches_believe() {
        for (error, status) in [
            (Errno::NOENT, 404),
            (Errno::NOTDIR, 404),
            (Errno::LOOP, 404),
            (Errno::NAMETOOLONG, 404),
            (Errno::XDEV, 404),
            (Errno::NXIO, 404),
            (Errno::ACCESS, 403),
            (Errno::PERM, 403),
            (Errno::MFILE, 503),
            (Errno::NFILE, 503),
            (Errno::NOMEM, 503),
            (Errno::IO, 500),
            (Errno::STALE, 500),
        ] {
            let answer = Failure::from(error).answer("/a");
            assert_eq!(answer.status(), status, "{error}");
            assert_eq!(answer.headers().contains_key(header::RETRY_AFTER), status == 503);
            let again = Failure::from(io::Error::from(error)).answer("/a");
            assert_eq!(again.status(), status, "{error}");
        }
    }
}
