//! A request to send.

use super::record::LoggedRequest;
use http::Method;

/// A request, with the known properties of its answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The method.
    pub method: Method,
    /// The path with its query, encoded for sending.
    pub path: String,
    /// The status of the right answer. `None` if it is unknown, or if the same request may get
    /// another status: 206, 304, 412 and 416 answer a range or a condition, 101 and 426 answer an
    /// upgrade, which logs do not hold; 408 and 499 mean a client that was slow or left.
    pub status: Option<u16>,
    /// The size of the right answer's body in bytes. `None` if it or the status is unknown, or if
    /// the method is HEAD, for which servers log various sizes.
    pub bytes: Option<u64>,
}

/// Statuses that depend on more than the method and the path: see [`Target::status`].
const NOT_REPEATABLE: [u16; 8] = [101, 206, 304, 408, 412, 416, 426, 499];

impl Target {
    /// Returns a GET request with an unknown answer.
    pub fn get(path: String) -> Self {
        Self { method: Method::GET, path, status: None, bytes: None }
    }
}

impl From<LoggedRequest> for Target {
    fn from(logged: LoggedRequest) -> Self {
        let LoggedRequest { method, path, status, bytes } = logged;
        let status = status.filter(|status| !NOT_REPEATABLE.contains(status));
        let has_size = status.is_some() && method != Method::HEAD;
        let bytes = if has_size { bytes } else { None };
        Self { method, path, status, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_method_and_a_path_can_be_repeated() {
        let recorded = |method: &str, path: &str| {
            LoggedRequest::new(method.as_bytes(), path.as_bytes(), None, None).map(Target::from)
        };
        assert_eq!(recorded("GET", "/"), Some(Target::get("/".to_owned())));
        assert!(recorded("PROPFIND", "/dav").is_some());
        for (method, path) in [("", "/"), ("G T", "/"), ("\u{16}", "/"), ("OPTIONS", "*")] {
            assert_eq!(recorded(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn a_status_that_may_differ_next_time_is_not_expected() {
        let known = |method: &[u8], status| {
            let logged = LoggedRequest::new(method, b"/", Some(status), Some(9)).unwrap();
            let target = Target::from(logged);
            (target.status, target.bytes)
        };
        assert_eq!(known(b"GET", 200), (Some(200), Some(9)));
        assert_eq!(known(b"GET", 304), (None, None));
        assert_eq!(known(b"HEAD", 404), (Some(404), None));
    }
}
