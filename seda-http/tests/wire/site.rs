//! The server under test: one stage, with a pool of its own or on the reactor's thread.

use crate::access_log::Lines;
use crate::client::{Client, LIMIT};
use crossbeam_channel::{Receiver, Sender, unbounded};
use seda_core::{
    Clock, Context, Graph, GraphConfig, MonotonicClock, SendOptions, StageConfig, Time,
    WorkerRange, each,
};
use seda_http::h1::RequestHead;
use seda_http::{
    Body, BodySender, Bytes, EventSender, Http, HttpConfig, HttpRequest, Response, Server,
    StatusCode,
};
use std::net::SocketAddr;
use std::time::Duration;

/// A running server with these pages:
///
/// | path | response |
/// | --- | --- |
/// | `/hello` | `hello` |
/// | `/echo` | the body of the request |
/// | `/big?N` | N bytes of pattern |
/// | `/bytes` | 1 KiB |
/// | `/hold` | `held`, once it is released |
/// | `/panic` | none: the handler panics |
/// | `/id` | the id of the request, and its fields `x-request-id` and `traceparent` |
/// | `/method` | the method of the request |
/// | `/client` | the client of the request, or `unknown` |
/// | `/scheme` | the scheme of the connection |
/// | `/status?N` | `body` with status N |
/// | `/forget` | none: the handler drops the responder |
/// | `/stream` | the bytes that the test sends |
/// | `/stream?N` | the same, with the declared length N |
/// | `/upload` | none: the test has the request |
/// | `/events` | the events that the test sends, with a comment every 10 ms |
pub(crate) struct Site {
    pub(crate) server: Server,
    /// Receives the path of each request when its handler begins.
    pub(crate) begun: Receiver<String>,
    /// Receives the path of each request when its handler has ended.
    pub(crate) ended: Receiver<String>,
    /// Receives the sender of each `/stream`.
    pub(crate) senders: Receiver<BodySender>,
    /// Receives the requests to `/upload`.
    pub(crate) uploads: Receiver<HttpRequest>,
    /// Receives the sender of each `/events`.
    pub(crate) events: Receiver<EventSender>,
    release: Sender<()>,
}

/// The ends of a site's channels that its handlers have.
#[derive(Clone)]
struct Ends {
    released: Receiver<()>,
    senders: Sender<BodySender>,
    uploads: Sender<HttpRequest>,
    events: Sender<EventSender>,
}

/// The settings of a [`Site`].
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) http: HttpConfig,
    pub(crate) capacity: usize,
    pub(crate) budget: Option<usize>,
    /// `None` runs the stage on the thread of the reactor.
    pub(crate) workers: Option<usize>,
    pub(crate) classify: Option<fn(&RequestHead, SendOptions) -> SendOptions>,
    /// The most bytes of a body that is streamed.
    pub(crate) stream_bodies: Option<fn(&RequestHead) -> Option<u64>>,
    /// Methods that RFC 9110 does not have reach the program.
    pub(crate) any_method: bool,
    /// The time after which a handler counts as stuck; `None` for the default.
    pub(crate) stuck_after: Option<Duration>,
}

impl Default for Plan {
    fn default() -> Self {
        let mut http = HttpConfig::default();
        http.listen.set_port(0);
        Self {
            http,
            capacity: 4096,
            budget: None,
            workers: Some(1),
            classify: None,
            stream_bodies: None,
            any_method: false,
            stuck_after: None,
        }
    }
}

impl Plan {
    pub(crate) fn with(change: impl FnOnce(&mut HttpConfig)) -> Self {
        let mut plan = Self::default();
        change(&mut plan.http);
        plan
    }

    pub(crate) fn workers(self, workers: usize) -> Self {
        Self { workers: Some(workers), ..self }
    }

    pub(crate) fn on_reactor(self) -> Self {
        Self { workers: None, ..self }
    }

    pub(crate) fn start(self) -> Site {
        let http = Http::bind(self.http.clone()).unwrap();
        self.start_on(http)
    }

    pub(crate) fn start_with_log(self, log: Lines) -> Site {
        let mut http = Http::bind(self.http.clone()).unwrap();
        http.access_log(log);
        self.start_on(http)
    }

    pub(crate) fn start_on(self, mut http: Http) -> Site {
        let mut graph = Graph::new("site");
        let site = graph.stage::<HttpRequest>("site", self.capacity);
        let reactors = http.pool(&mut graph);
        http.entry(&mut graph, site).unwrap();
        if let Some(classify) = self.classify {
            http.classify(classify);
        }
        if let Some(most) = self.stream_bodies {
            http.stream_bodies(most);
        }
        if self.any_method {
            http.any_method();
        }
        let (begin, begun) = unbounded();
        let (end, ended) = unbounded();
        let (release, released) = unbounded();
        let (to_senders, senders) = unbounded();
        let (to_uploads, uploads) = unbounded();
        let (to_events, events) = unbounded();
        let ends = Ends { released, senders: to_senders, uploads: to_uploads, events: to_events };
        let factory = move || {
            let begin = begin.clone();
            let end = end.clone();
            let ends = ends.clone();
            Ok(each(move |call: HttpRequest, _cx: &mut Context| {
                let path = call.request.uri().to_string();
                let _ = begin.send(path.clone());
                handle(call, &ends);
                let _ = end.send(path);
            }))
        };
        match self.workers {
            None => graph.attach_in(&reactors, site, |_wire| factory).unwrap(),
            Some(workers) => {
                let workers = Some(WorkerRange::exactly(workers));
                let config = StageConfig { workers, ..StageConfig::default() };
                graph.configure(site, config).unwrap();
                graph.attach(site, |_wire| factory).unwrap();
            }
        }
        if let Some(budget) = self.budget {
            graph.budget(budget);
        }
        if let Some(stuck_after) = self.stuck_after {
            let mut config = GraphConfig::default();
            (config.control.stuck_after, config.control.tick) = (stuck_after, stuck_after);
            graph.apply(config).unwrap();
        }
        let server = http.serve(graph.start().unwrap()).unwrap();
        Site { server, begun, ended, senders, uploads, events, release }
    }
}

fn handle(call: HttpRequest, ends: &Ends) {
    let body = match call.request.uri().path() {
        "/hello" => Body::from("hello\n"),
        "/echo" => Body::from(call.request.body().clone()),
        "/big" => Body::Pattern(call.request.uri().query().unwrap().parse().unwrap()),
        "/bytes" => Body::from(Bytes::from(vec![b'b'; 1024])),
        "/hold" => {
            ends.released.recv_timeout(LIMIT).unwrap();
            Body::from("held\n")
        }
        "/id" => {
            let [id, trace] =
                ["x-request-id", "traceparent"].map(|name| &call.request.headers()[name]);
            Body::from(format!("{:?} {id:?} {trace:?}", call.id()))
        }
        "/client" => {
            let client = call.client().map(|client| client.to_string());
            Body::from(client.unwrap_or_else(|| "unknown".to_owned()))
        }
        "/scheme" => Body::from(call.scheme().to_string()),
        "/method" => Body::from(call.request.method().to_string()),
        "/status" => {
            let status = call.request.uri().query().unwrap().parse().unwrap();
            let mut response = Response::new(Body::from("body"));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            return call.respond(response);
        }
        "/stream" => {
            let length = call.request.uri().query().map(|length| length.parse().unwrap());
            let (sender, body) = length.map_or_else(BodySender::chunked, BodySender::with_length);
            ends.senders.send(sender).unwrap();
            body
        }
        "/events" => {
            let (sender, response) = EventSender::with_comments_after(Duration::from_millis(10));
            ends.events.send(sender).unwrap();
            return call.respond(response);
        }
        "/upload" => return ends.uploads.send(call).unwrap(),
        "/panic" => panic!("on purpose"),
        "/forget" => return,
        _ => {
            let mut response = Response::new(Body::from("no such page\n"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return call.respond(response);
        }
    };
    call.respond(Response::new(body));
}

impl Site {
    pub(crate) fn start() -> Self {
        Plan::default().start()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address())
    }

    /// Connects a client and keeps one worker busy with its request until the release.
    pub(crate) fn hold(&self) -> Client {
        let mut client = self.client();
        client.get("/hold");
        assert_eq!(self.begun.recv_timeout(LIMIT).unwrap(), "/hold");
        client
    }

    pub(crate) fn release(&self) {
        self.release.send(()).unwrap();
    }

    /// Returns a sender that releases one request even while the site drains.
    pub(crate) fn release_handle(&self) -> Sender<()> {
        self.release.clone()
    }

    /// Returns the sender of the next `/stream`.
    pub(crate) fn sender(&self) -> BodySender {
        self.senders.recv_timeout(LIMIT).unwrap()
    }

    pub(crate) fn admitted(&self) -> u64 {
        self.server.graph().report().requests.admitted
    }

    pub(crate) fn lost(&self, reason: &str) -> u64 {
        self.server.graph().report().requests.lost.get(reason).copied().unwrap_or(0)
    }
}

/// Polls until `is_so`; fails with the description of the condition at the limit.
pub(crate) fn until(condition: &str, mut is_so: impl FnMut() -> bool) {
    let clock = MonotonicClock::new();
    while !is_so() {
        assert!(clock.now().since(Time::ZERO) < LIMIT, "waited in vain until {condition}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}
