//! A running HTTP server.

use super::access_log::LogThread;
use super::admin_config::AdminPlace;
use super::reply::Reply;
use super::times::TimeRegistry;
use crate::server::{ListenPlace, ReactorGroup, ServerCounts, SideReactor};
use crate::tls::HandshakeCounts;
#[cfg(feature = "tls")]
use crate::tls::TlsError;
use seda_admin::{Admin, RequestTimes};
use seda_core::{Drained, Running};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A running HTTP server with its graph.
///
/// End it with [`Server::drain`]. A server that is dropped ends at once and answers its open
/// requests with 503.
///
/// ```
/// # use seda_core::{Context, Graph};
/// # use seda_http::{Body, Http, HttpConfig, HttpRequest, Response};
/// # use std::io::{Read, Write};
/// # use std::time::Duration;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut config = HttpConfig::default();
/// # config.listen.set_port(0);
/// # let mut graph = Graph::new("hello");
/// # let mut http = Http::bind(config)?;
/// # let hello = graph.stage::<HttpRequest>("hello", 1_024);
/// # http.entry(&mut graph, hello)?;
/// # graph.attach_each(hello, |_wire| |call: HttpRequest, _cx: &mut Context| {
/// #     call.respond(Response::new(Body::from("hello\n")));
/// # })?;
/// // `http` has an entry in `graph`; see `Http`.
/// let server = http.serve(graph.start()?)?;
/// let mut client = std::net::TcpStream::connect(server.local_addr())?;
/// client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
/// let mut response = String::new();
/// client.read_to_string(&mut response)?;
/// assert!(response.ends_with("\r\n\r\nhello\n"));
///
/// let drained = server.drain(Duration::from_secs(5));
/// assert!(drained.complete);
/// assert_eq!(drained.report.requests.answered, 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "a server that is dropped ends"]
pub struct Server {
    admin: Arc<Admin>,
    admin_place: AdminPlace,
    times: Arc<TimeRegistry>,
    /// The time for which a server that ends serves on.
    lame_duck: Duration,
    // Dropped in this order: the admin side's own listener answers until the graph has ended.
    group: ReactorGroup<Reply>,
    _admin_reactor: Option<SideReactor<Reply>>,
    // The log has its last line once the reactors have ended.
    _access_log: Option<LogThread>,
}

impl Server {
    pub(super) fn new(
        admin: Arc<Admin>,
        admin_place: AdminPlace,
        lame_duck: Duration,
        group: ReactorGroup<Reply>,
        times: Arc<TimeRegistry>,
        admin_reactor: Option<SideReactor<Reply>>,
        access_log: Option<LogThread>,
    ) -> Self {
        let (_admin_reactor, _access_log) = (admin_reactor, access_log);
        Self { admin, admin_place, times, lame_duck, group, _admin_reactor, _access_log }
    }

    /// Reads the files of all certificates again, which the settings of the listeners name
    /// ([`ListenerConfig::tls`](crate::ListenerConfig::tls)). New handshakes use what they have.
    /// Connections and tickets of before stay.
    ///
    /// # Errors
    /// [`TlsError`] with the file that cannot be used, and the reason; then all certificates stay.
    #[cfg(feature = "tls")]
    pub fn reload_tls(&self) -> Result<(), TlsError> {
        self.group.reload_tls()
    }

    /// Returns the first TCP address that the server listens on, with the port that replaced port
    /// 0; `0.0.0.0:0` if it listens to Unix sockets alone.
    pub fn local_addr(&self) -> SocketAddr {
        self.group.local_addr()
    }

    /// Returns all places where the server listens, with the ports that replaced port 0. Sockets of
    /// the parent are here by their addresses.
    pub fn local_addrs(&self) -> &[ListenPlace] {
        self.group.local_addrs()
    }

    /// Returns the place of the admin side, with the port that replaced port 0. It is never
    /// [`AdminPlace::Auto`]: that has become a path, or off.
    pub fn admin(&self) -> &AdminPlace {
        &self.admin_place
    }

    /// Returns the running graph, for its report, its journal and its settings.
    pub fn graph(&self) -> &Running {
        self.group.graph()
    }

    /// Returns what the server has done beside requests, for metrics.
    pub fn counts(&self) -> ServerCounts {
        self.group.counts()
    }

    /// Returns the TLS handshakes since the server began, by their end; all zero if no listener has
    /// TLS.
    pub fn handshakes(&self) -> HandshakeCounts {
        self.group.handshakes()
    }

    /// Returns the response times since the server began, by route, method, class and status. The
    /// metrics page of the admin side has the same.
    pub fn request_times(&self) -> Vec<RequestTimes> {
        self.times.read()
    }

    /// Ends the server within `limit` and returns the final report.
    ///
    /// 1. `/readyz` responds with 503. A listener of the admin side answers until the end.
    /// 2. For [`Closing::lame_duck`](crate::Closing::lame_duck), half of the limit at most, the
    ///    server serves on and closes each connection after its next answer.
    /// 3. Connections in the backlogs are accepted, then the listeners are closed. A listener that
    ///    the server shares ([`Http::bind_on`](crate::Http), `inherited`) is closed at once: its
    ///    backlog is accepted by its other owners.
    /// 4. The graph stays open, so that begun requests are finished. The last response of each
    ///    connection says `Connection: close`. A connection without a request is read once more
    ///    and closed. So every request that arrives before the server's FIN is answered.
    /// 5. The graph drains once no connection is left, or after nine tenths of the limit. Requests
    ///    that are still open then are answered with 503.
    pub fn drain(self, limit: Duration) -> Drained {
        self.admin.set_draining();
        self.group.drain(self.lame_duck, limit)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local_addr", &self.local_addr()).finish_non_exhaustive()
    }
}
