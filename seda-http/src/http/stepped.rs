//! A server without sockets and threads, for tests of routes and handlers.
#![expect(clippy::panic, reason = "an assertion fails by panicking")]

use super::config::HttpConfig;
use super::responses;
use super::routes::{Arrived, Built, Dispatcher, Routed, Routes, RoutesError, failed};
use crate::h1::{self, Decoded, Decoder, Exchange, Limits, RequestHead};
use crate::reactor::{Body, Counters, Origin};
use bytes::{Bytes, BytesMut};
use crossbeam_channel::{Receiver, Sender, unbounded};
use http::{HeaderValue, Request, Response, StatusCode, header};
use seda_core::testing::Stepped;
use seda_core::{Graph, LossReason, Outcome, ReplyAddress, ReplySink};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// A server without sockets and threads: its requests take the way from the head to the response
/// that they take in a [`Server`](crate::Server), and its graph works only inside calls to it.
///
/// ```
/// use seda_core::{Graph, GraphError};
/// use seda_http::{HttpRequest, Routes, StatusCode, SteppedServer, json};
///
/// /// The routes of the program, for [`Http::routes`](seda_http::Http::routes) and for tests.
/// fn double(graph: &mut Graph) -> Result<Routes, GraphError> {
///     let double = graph.stage::<HttpRequest<u64>>("double", 64);
///     graph.attach_each(double, |_wire| {
///         |call: HttpRequest<u64>, _cx| {
///             let twice = call.params * 2;
///             call.respond(json(StatusCode::OK, &twice));
///         }
///     })?;
///     Ok(Routes::new().get("/double/{n}", double))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("test");
/// let routes = double(&mut graph)?;
/// let mut server = SteppedServer::start(graph, routes)?;
/// assert_eq!(server.get("/double/21").body(), "42");
/// # Ok(())
/// # }
/// ```
pub struct SteppedServer {
    graph: Stepped,
    dispatcher: Dispatcher,
    limits: Limits,
    has_extensions: bool,
    reply_sink: Arc<dyn ReplySink<Response<Body>>>,
    outcomes: Receiver<Outcome<Response<Body>>>,
}

impl SteppedServer {
    /// Starts `graph` with its routes, the default settings, and a clock of its own.
    ///
    /// # Errors
    /// As [`Http::routes`](crate::Http::routes) and [`Graph::start_manual`].
    pub fn start(mut graph: Graph, routes: Routes) -> Result<Self, RoutesError> {
        let config = HttpConfig::default();
        let Built { table, mut endpoints } = routes.build(&mut graph, &config)?;
        let has_extensions = table.has_extensions();
        let limits = Limits { body_bytes: table.body_bytes_most(), ..config.limits };
        let endpoints = endpoints.pop().unwrap_or_default();
        let dispatcher = Dispatcher::new(table, endpoints, None, Arc::<Counters>::default());
        let graph = Stepped::start(graph).map_err(RoutesError::graph)?;
        let (sender, outcomes) = unbounded();
        let reply_sink = Arc::new(Outcomes(sender));
        Ok(Self { graph, dispatcher, limits, has_extensions, reply_sink, outcomes })
    }

    /// Returns the response to a GET request without a body.
    ///
    /// # Panics
    /// As [`SteppedServer::ask`].
    #[track_caller]
    pub fn get(&mut self, target: &str) -> Response<Bytes> {
        match Request::get(target).body(Bytes::new()) {
            Ok(request) => self.ask(request),
            Err(error) => panic!("`{target}` is no target of a request: {error}"),
        }
    }

    /// Returns the response to a request. The graph works until it is idle. A Host field and a
    /// Content-Length are added if they are missing.
    ///
    /// ```
    /// # use seda_core::Graph;
    /// # use seda_http::{HttpRequest, Request, Routes, StatusCode, SteppedServer, json};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut graph = Graph::new("sums");
    /// # let sum = graph.stage::<HttpRequest>("sum", 64);
    /// # graph.attach_each(sum, |_wire| {
    /// #     |call: HttpRequest, _cx| {
    /// #         call.answer(|call| {
    /// #             let terms: Vec<u64> = call.json()?;
    /// #             Ok(json(StatusCode::OK, &terms.iter().sum::<u64>()))
    /// #         });
    /// #     }
    /// # })?;
    /// # let mut server = SteppedServer::start(graph, Routes::new().post("/sum", sum))?;
    /// let request = Request::post("/sum").header("content-type", "application/json");
    /// assert_eq!(server.ask(request.body("[1, 2, 3]")?).body(), "6");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the request has no response once the graph is idle, because a handler waits for another
    /// side or for time to pass; and if its response is a stream. Such handlers are tested with
    /// [`seda_core::testing`].
    #[track_caller]
    pub fn ask(&mut self, request: Request<impl Into<Bytes>>) -> Response<Bytes> {
        let mut input = encoded(request.map(Into::into));
        let mut decoder = Decoder::new(self.limits).of_client(origin().client());
        if self.has_extensions {
            decoder = decoder.any_method();
        }
        // The route of a request with a chunked body.
        let mut routed = None;
        loop {
            match decoder.decode(&mut input) {
                Decoded::Head => {
                    let decided = decoder.head().map(|head| self.dispatcher.route(head, None));
                    match decided {
                        Some(Ok(found)) => {
                            decoder.limit_body(found.limits.bytes);
                            routed = Some(found);
                        }
                        Some(Err(error)) => {
                            let exchange = decoder.refuse(&mut input);
                            return received(error.response(), exchange);
                        }
                        None => panic!("the decoder has the head that it announced"),
                    }
                }
                Decoded::Request(head, body, exchange) => {
                    return received(self.answer(head, body, routed), exchange);
                }
                Decoded::Reject(rejection, exchange) => {
                    let line = responses::line(&rejection);
                    return received(responses::text(rejection.status(), line), exchange);
                }
                Decoded::Continue => {}
                Decoded::Incomplete | Decoded::Piece(..) | Decoded::Refused(_) => {
                    panic!("the request is not whole")
                }
            }
        }
    }

    /// Returns the graph, for its clock, report and figures.
    pub fn graph(&mut self) -> &mut Stepped {
        &mut self.graph
    }

    #[track_caller]
    fn answer(&mut self, head: RequestHead, body: Bytes, routed: Option<Routed>) -> Response<Body> {
        let routed = match routed.map_or_else(|| self.dispatcher.route(&head, None), Ok) {
            Ok(routed) => routed,
            Err(error) => return error.response(),
        };
        let reply_sink = Arc::clone(&self.reply_sink);
        let address = ReplyAddress::default();
        let arrived = Arrived { head, body, stream: None, id: None };
        match self.dispatcher.admit(routed, arrived, &origin(), reply_sink, address) {
            Some(Ok(_)) => {}
            Some(Err(refusal)) => {
                let line = responses::line(&refusal);
                return responses::text(StatusCode::SERVICE_UNAVAILABLE, line);
            }
            None => return failed(),
        }
        self.graph.run_until_idle();
        match self.outcomes.try_recv() {
            Ok(Outcome::Answered(response)) => response,
            Ok(Outcome::Lost(LossReason::Panicked | LossReason::Forgotten)) => failed(),
            Ok(Outcome::Lost(reason)) => {
                responses::text(StatusCode::SERVICE_UNAVAILABLE, responses::line(&reason))
            }
            Err(_) => panic!("the request has no response yet\n{}", self.graph.report()),
        }
    }
}

impl fmt::Debug for SteppedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SteppedServer").field("graph", &self.graph).finish_non_exhaustive()
    }
}

/// Keeps the outcome of a request until the test takes it.
struct Outcomes(Sender<Outcome<Response<Body>>>);

impl ReplySink<Response<Body>> for Outcomes {
    fn deliver(&self, _address: ReplyAddress, outcome: Outcome<Response<Body>>) {
        // A receiver that is gone needs no outcome.
        let _ = self.0.send(outcome);
    }
}

/// Returns the origin of every request: a client on this machine.
fn origin() -> Origin {
    Origin::of_peer(Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))
}

/// Returns the bytes that a client sends for a request.
fn encoded(mut request: Request<Bytes>) -> BytesMut {
    let length = request.body().len();
    let fields = request.headers_mut();
    fields.entry(header::HOST).or_insert(HeaderValue::from_static("localhost"));
    if length > 0 && !fields.contains_key(header::TRANSFER_ENCODING) {
        fields.entry(header::CONTENT_LENGTH).or_insert(length.into());
    }
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut bytes = BytesMut::new();
    bytes.extend_from_slice(format!("{} {target} HTTP/1.1\r\n", request.method()).as_bytes());
    for (name, value) in request.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(request.body());
    bytes
}

/// Returns a response as its client gets it: whole in memory, without a body that HTTP leaves out.
fn received(response: Response<Body>, exchange: Exchange) -> Response<Bytes> {
    let (status, length) = (response.status(), response.body().len());
    let response = match h1::unsendable(status, length) {
        Some(fault) => panic!("HTTP cannot carry the response {status}: {fault}"),
        None => response,
    };
    response.map(|body| match body {
        _ if !h1::carries_body(status, exchange) => Bytes::new(),
        Body::Empty => Bytes::new(),
        Body::Bytes(bytes) => bytes,
        Body::Pattern(length) => Bytes::from(vec![b'x'; length as usize]),
        Body::File(file, length) => read(file, length),
        Body::Stored(stored) => {
            let length = stored.length();
            match stored.into_file() {
                Some(file) => read(file, length),
                None => panic!("the file of a response has changed"),
            }
        }
        Body::Stream(_) => panic!("a streamed response is tested over a socket"),
    })
}

fn read(file: File, length: u64) -> Bytes {
    let mut bytes = Vec::new();
    match file.take(length).read_to_end(&mut bytes) {
        Ok(_) => Bytes::from(bytes),
        Err(error) => panic!("the file of a response cannot be read: {error}"),
    }
}
