//! The forms of a request target (RFC 9112 §3.2).

use bytes::Bytes;
use http::{Method, Uri, uri::Scheme};

use super::{
    host,
    limits::{Limits, URI_BYTES_MOST},
    rejection::Rejection,
};

/// Reads a target: origin-form (`/path?query`), absolute-form (`http://host/path`) with the scheme
/// of the connection, or asterisk-form (`*`, for OPTIONS only). The authority-form belongs to
/// CONNECT, which is rejected before.
///
/// The path is neither decoded nor normalised. That is left to the handler.
pub(super) fn read(
    target: Bytes,
    method: &Method,
    is_encrypted: bool,
    limits: &Limits,
) -> Result<Uri, Rejection> {
    let limit = limits.uri_bytes.min(URI_BYTES_MOST);
    if target.len() > limit {
        return Err(Rejection::TargetTooLong { limit });
    }
    if !target.iter().all(|byte| is_target_byte(*byte)) {
        return Err(Rejection::BadRequest("the target has a byte that is not allowed in a URI"));
    }
    let is_origin = target.starts_with(b"/");
    let is_asterisk = *target == *b"*";
    let uri = Uri::from_maybe_shared(target)
        .map_err(|_| Rejection::BadRequest("the target is not a URI"))?;
    if is_origin || is_asterisk && *method == Method::OPTIONS {
        return Ok(uri);
    }
    if !is_absolute(&uri) {
        return Err(Rejection::BadRequest("the target has a form that its method does not allow"));
    }
    // `https` was not meant for a connection without TLS, nor `http` for one with it.
    let scheme = if is_encrypted { Scheme::HTTPS } else { Scheme::HTTP };
    if uri.scheme() == Some(&scheme) { Ok(uri) } else { Err(Rejection::Misdirected) }
}

/// Returns true for printable ASCII except `#`. A fragment is never sent (RFC 9110 §7.1), and
/// [`Uri`] would silently drop it.
fn is_target_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'#'
}

/// Returns true for a URI with a scheme, a host and no user information, which RFC 9110 §4.2.4
/// treats as an error.
fn is_absolute(uri: &Uri) -> bool {
    let authority = uri
        .authority()
        .is_some_and(|it| !it.host().is_empty() && host::is_valid(it.as_str().as_bytes()));
    uri.scheme().is_some() && authority
}
