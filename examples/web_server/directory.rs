//! The files of a directory, and no file outside of it.

use crate::site::not_found;
use crate::stages::text;
use percent_encoding::percent_decode_str;
use seda::http::{Body, HeaderValue, Response, StatusCode, header};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

/// Files up to this size, in bytes, are read here, so that the reactor does not wait for the disk.
/// Larger ones are read piece by piece while they are written to the socket.
const READ_WHOLE: u64 = 256 * 1024;

/// A directory of files to serve.
pub(crate) struct Directory {
    /// The absolute path, without links.
    root: PathBuf,
}

impl Directory {
    /// Opens a directory.
    pub(crate) fn open(root: &Path) -> Result<Self, String> {
        let error = |error: io::Error| {
            format!("--root {}: {error}; name a readable directory", root.display())
        };
        fs::read_dir(root).map_err(error)?;
        Ok(Self { root: root.canonicalize().map_err(error)? })
    }

    /// Returns the file that a path names, or a response with the reason.
    pub(crate) fn answer(&self, path: &str) -> Response<Body> {
        let found = self.find(path).and_then(|file| Ok((read(&file)?, file)));
        match found {
            Ok((body, file)) => {
                let mut answer = Response::new(body);
                let kind = mime_guess::from_path(&file).first_or_octet_stream();
                if let Ok(kind) = HeaderValue::from_str(kind.as_ref()) {
                    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
                }
                answer
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                text(StatusCode::FORBIDDEN, "not readable\n")
            }
            Err(_) => not_found(),
        }
    }

    /// Returns the path of the file; for a directory, of its index.html.
    fn find(&self, path: &str) -> io::Result<PathBuf> {
        let decoded = percent_decode_str(path).decode_utf8().map_err(io::Error::other)?;
        let relative = Path::new(decoded.trim_start_matches('/'));
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(ErrorKind::NotFound.into());
        }
        let mut file = self.root.join(relative).canonicalize()?;
        if file.is_dir() {
            file = file.join("index.html").canonicalize()?;
        }
        // A link may lead out of the directory.
        if file.starts_with(&self.root) { Ok(file) } else { Err(ErrorKind::NotFound.into()) }
    }
}

fn read(path: &Path) -> io::Result<Body> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > READ_WHOLE {
        return Ok(Body::File(file, length));
    }
    let mut content = Vec::with_capacity(length as usize);
    file.read_to_end(&mut content)?;
    Ok(content.into())
}
