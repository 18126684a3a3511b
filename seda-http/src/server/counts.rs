//! The counts of a server beside those of its graph.

use crate::reactor::{BodyBudget, ConnectionCount, Counters};
use crate::tls::HandshakeCounts;
use std::sync::Arc;

/// What a server has done to its connections since it serves. The graph's own figures are in
/// [`Server::graph`](crate::Server::graph).
///
/// ```
/// # use seda_core::{Context, Graph};
/// # use seda_http::{Http, HttpConfig, HttpRequest};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut config = HttpConfig::default();
/// # config.listen.set_port(0);
/// # let mut graph = Graph::new("hello");
/// # let mut http = Http::bind(config)?;
/// # let hello = graph.stage::<HttpRequest>("hello", 1_024);
/// # http.entry(&mut graph, hello)?;
/// # graph.attach_each(hello, |_wire| |_call: HttpRequest, _cx: &mut Context| {})?;
/// let server = http.serve(graph.start()?)?;
/// assert_eq!(server.counts().replaced_responses, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerCounts {
    /// Bytes of memory that request bodies have now, at most
    /// [`BodyConfig::budget`](crate::BodyConfig::budget): those that arrive, and those that the
    /// program has not dropped.
    pub body_bytes: usize,
    /// Requests answered with 503 because there was no memory for their body.
    pub refused_bodies: u64,
    /// Uploads ended with 503 so that others had memory.
    pub ended_uploads: u64,
    /// Connections closed for newcomers, because there were as many as
    /// [`HttpConfig::connections`](crate::HttpConfig) or no free descriptor; and newcomers closed
    /// because their client had an eighth of all connections and none could be closed.
    pub evicted_connections: u64,
    /// Connections closed at listeners with a PROXY protocol: their peer is not in
    /// [`ListenerConfig::proxy_protocol`](crate::ListenerConfig), or they do not begin with a
    /// header. The log has the first of each kind.
    pub refused_proxies: u64,
    /// Requests answered with 404 because no route has their path.
    pub not_found: u64,
    /// Requests answered with 405 or 501 because no route of their path has their method.
    pub not_allowed: u64,
    /// Requests answered with 400 because their parameters do not fit their route.
    pub bad_parameters: u64,
    /// Requests answered with 413 because their declared body is longer than their route allows.
    pub long_bodies: u64,
    /// OPTIONS requests that the table of routes has answered.
    pub options: u64,
    /// Responses that HTTP/1.1 cannot carry, each replaced by a 500 and logged as an error: a final
    /// response with a status from 100 to 199, or a 204, 205 or 304 with a body.
    pub replaced_responses: u64,
    /// Lines of the access log that were dropped, because its queue was full or its writer failed.
    pub dropped_log_lines: u64,
}

impl ServerCounts {
    fn of(counters: &Counters, body_bytes: usize) -> Self {
        Self {
            body_bytes,
            refused_bodies: counters.refused_bodies.get(),
            ended_uploads: counters.ended_uploads.get(),
            evicted_connections: counters.evicted_connections.get(),
            refused_proxies: counters.unlisted_peers.get() + counters.bad_proxy_headers.get(),
            not_found: counters.routes.not_found.get(),
            not_allowed: counters.routes.not_allowed.get(),
            bad_parameters: counters.routes.bad_parameters.get(),
            long_bodies: counters.routes.long_bodies.get(),
            options: counters.routes.options.get(),
            replaced_responses: counters.replaced_responses.get(),
            dropped_log_lines: counters.dropped_log_lines.get(),
        }
    }
}

/// The counts of a running server, for readers on other threads.
#[derive(Clone, Debug)]
pub(crate) struct ServerUsage {
    counters: Arc<Counters>,
    /// The memory of bodies of each reactor.
    bodies: Vec<Arc<BodyBudget>>,
    connections: Arc<ConnectionCount>,
    /// A listener has TLS.
    has_tls: bool,
}

impl ServerUsage {
    pub(super) fn new(
        counters: Arc<Counters>,
        bodies: Vec<Arc<BodyBudget>>,
        connections: Arc<ConnectionCount>,
        has_tls: bool,
    ) -> Self {
        Self { counters, bodies, connections, has_tls }
    }

    pub(crate) fn counts(&self) -> ServerCounts {
        let body_bytes = self.bodies.iter().map(|bodies| bodies.used()).sum();
        ServerCounts::of(&self.counters, body_bytes)
    }

    /// Returns the handshakes; `None` if no listener has TLS.
    pub(crate) fn handshakes(&self) -> Option<HandshakeCounts> {
        self.has_tls.then(|| self.counters.handshakes.get())
    }

    /// Returns the number of connections now. The listener counts as one while it is open.
    pub(crate) fn connections(&self) -> usize {
        self.connections.get()
    }
}
