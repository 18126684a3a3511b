//! A table of routes over sockets: what it answers from the head, and the limits of each route.

use crate::client::{Client, LIMIT};
use crate::site::until;
use crossbeam_channel::{Receiver, Sender, unbounded};
use seda_core::{Class, Context, Graph, SendOptions};
use seda_http::{
    Body, Endpoint, Http, HttpConfig, HttpRequest, Method, Response, Routes, Server, StatusCode,
    text,
};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Deserialize)]
struct User {
    id: u64,
    #[serde(default)]
    verbose: bool,
}

/// A server with these routes:
///
/// | route | response |
/// | --- | --- |
/// | `GET /users/{id}` | `user ID`, and ` in full` with `?verbose=true` |
/// | `POST /small` | the body, of at most 10 bytes |
/// | `POST /large` | the body, of at most 2 MiB: more than the settings allow |
/// | `POST /plain` | the body, of at most 1 KiB by the settings |
/// | `PURGE /cache` | `purged` |
/// | `GET /hold` | `held`, once it is released; its stage has one place |
/// | `POST /hold` | the same stage |
struct Site {
    server: Server,
    begun: Receiver<()>,
    release: Sender<()>,
    /// The requests that the classifier has seen.
    classified: Arc<AtomicUsize>,
}

impl Site {
    fn start() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut HttpConfig)) -> Self {
        let mut config = HttpConfig::default();
        config.listen.set_port(0);
        config.limits.body_bytes = 1024;
        change(&mut config);
        let mut graph = Graph::new("routes");
        let mut http = Http::bind(config).unwrap();
        let user = graph.stage::<HttpRequest<User>>("user", 64);
        let echo = graph.stage::<HttpRequest>("echo", 64);
        let purge = graph.stage::<HttpRequest>("purge", 64);
        let hold = graph.stage::<HttpRequest>("hold", 1);
        let routes = Routes::new()
            .get("/users/{id}", user)
            .post("/small", Endpoint::new(echo).body_bytes(10))
            .post("/large", Endpoint::new(echo).body_bytes(2 * 1024 * 1024))
            .post("/plain", echo)
            .on("PURGE".parse::<Method>().unwrap(), "/cache", purge)
            .get("/hold", hold)
            .post("/hold", hold);
        http.routes(&mut graph, routes).unwrap();
        let classified = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&classified);
        http.classify(move |_head, options| {
            count.fetch_add(1, Ordering::Relaxed);
            SendOptions { class: Class::HIGHEST, ..options }
        });
        let (begin, begun) = unbounded();
        let (release, released) = unbounded::<()>();
        graph
            .attach_each(user, |_wire| {
                |call: HttpRequest<User>, _cx: &mut Context| {
                    let full = if call.params.verbose { " in full" } else { "" };
                    let user = format!("user {}{full}\n", call.params.id);
                    call.respond(text(StatusCode::OK, user));
                }
            })
            .unwrap();
        graph
            .attach_each(echo, |_wire| {
                |call: HttpRequest, _cx: &mut Context| {
                    let body = call.request.body().clone();
                    call.respond(Response::new(Body::from(body)));
                }
            })
            .unwrap();
        graph
            .attach_each(purge, |_wire| {
                |call: HttpRequest, _cx: &mut Context| {
                    call.respond(text(StatusCode::OK, "purged\n"));
                }
            })
            .unwrap();
        graph
            .attach_each(hold, |_wire| {
                move |call: HttpRequest, _cx: &mut Context| {
                    begin.send(()).unwrap();
                    released.recv_timeout(LIMIT).unwrap();
                    call.respond(text(StatusCode::OK, "held\n"));
                }
            })
            .unwrap();
        let server = http.serve(graph.start().unwrap()).unwrap();
        Self { server, begun, release, classified }
    }

    fn client(&self) -> Client {
        Client::connect(self.server.local_addr())
    }

    fn admitted(&self) -> u64 {
        self.server.graph().report().requests.admitted
    }
}

fn request(method: &str, target: &str, fields: &str) -> String {
    let gap = if fields.is_empty() { "" } else { "\r\n" };
    format!("{method} {target} HTTP/1.1\r\nHost: t\r\n{fields}{gap}\r\n")
}

#[test]
fn a_request_reaches_the_stage_of_its_route_with_its_parameters() {
    let site = Site::start();
    let mut client = site.client();
    assert_eq!(client.fetch("/users/7").text(), "user 7\n");
    assert_eq!(client.fetch("/users/%37?verbose=true").text(), "user 7 in full\n");
    client.send(request("PURGE", "/cache", ""));
    assert_eq!(client.response().text(), "purged\n");
    // The target of a proxy's client is a whole URI.
    client.send(request("GET", "http://t/users/8", ""));
    assert_eq!(client.response().text(), "user 8\n");
    assert_eq!((site.admitted(), site.classified.load(Ordering::Relaxed)), (4, 4));
}

#[test]
fn what_has_no_route_is_answered_before_admission_and_the_connection_goes_on() {
    let site = Site::start();
    let mut client = site.client();
    for (method, target, status, allow) in [
        ("GET", "/nowhere", 404, None),
        ("GET", "/users/", 404, None),
        ("GET", "/users/7/", 404, None),
        ("DELETE", "/users/7", 405, Some("GET, HEAD, OPTIONS")),
        ("GET", "/cache", 405, Some("OPTIONS, PURGE")),
        ("QUERY", "/cache", 501, None),
        ("OPTIONS", "/users/7", 204, Some("GET, HEAD, OPTIONS")),
        ("OPTIONS", "*", 204, Some("GET, HEAD, POST, OPTIONS, PURGE")),
        ("GET", "/users/seven", 400, None),
    ] {
        client.send(request(method, target, ""));
        let response = client.response();
        assert_eq!((response.status, response.field("allow")), (status, allow), "{target}");
        assert!(!response.closes(), "{target}");
    }
    let counts = site.server.counts();
    assert_eq!((counts.not_found, counts.not_allowed, counts.options), (3, 3, 2));
    assert_eq!((counts.bad_parameters, counts.long_bodies), (1, 0));
    assert_eq!((site.admitted(), site.classified.load(Ordering::Relaxed)), (0, 0));
}

#[test]
fn head_is_answered_as_get_without_its_body() {
    let site = Site::start();
    let mut client = site.client();
    client.send(request("HEAD", "/users/7", ""));
    let response = client.response_without_body();
    assert_eq!((response.status, response.field("content-length")), (200, Some("7")));
    for (target, status) in [("/nowhere", 404), ("/small", 405), ("/users/x", 400)] {
        client.send(request("HEAD", target, ""));
        assert_eq!(client.response_without_body().status, status);
    }
    assert_eq!(client.fetch("/users/8").text(), "user 8\n");
}

/// RFC 9112 §9.3: the next request begins after the body of one that has no route. A long body, and
/// one that waits for `100 Continue`, end the connection.
#[test]
fn a_body_without_a_route_is_treated_as_that_of_a_refused_request() {
    let site = Site::start();
    let mut client = site.client();
    let body = "GET /users/6 HTTP/1.1\r\nHost: evil\r\n\r\n";
    for (target, status) in [("/nowhere", 404), ("/users/7", 405), ("/small", 413)] {
        client.send(request("POST", target, &format!("Content-Length: {}", body.len())));
        client.send(body);
        let response = client.response();
        assert_eq!((response.status, response.closes()), (status, false), "{target}");
    }
    client.send(request("POST", "/nowhere", "Transfer-Encoding: chunked"));
    client.send(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
    assert_eq!(client.response().status, 404);
    assert_eq!(client.fetch("/users/7").text(), "user 7\n");
    assert_eq!(site.admitted(), 1);
    for (target, fields, status) in [
        ("/nowhere", "Content-Length: 1000000", 404),
        ("/nowhere", "Content-Length: 5\r\nExpect: 100-continue", 404),
        ("/users/7", "Content-Length: 5\r\nExpect: 100-continue", 405),
        ("/users/x", "Content-Length: 5\r\nExpect: 100-continue", 405),
        ("/plain", "Content-Length: 2000\r\nExpect: 100-continue", 413),
    ] {
        let mut client = site.client();
        client.send(request("POST", target, fields));
        let response = client.response();
        assert_eq!((response.status, response.closes()), (status, true), "{target} {fields}");
        client.expect_end();
    }
}

#[test]
fn each_route_has_its_own_bound_on_a_body() {
    let site = Site::start();
    let mut client = site.client();
    let post = |client: &mut Client, target: &str, length: usize| {
        client.send(request("POST", target, &format!("Content-Length: {length}")));
        client.send(vec![b'x'; length]);
        let response = client.response();
        (response.status, response.body.len())
    };
    assert_eq!(post(&mut client, "/small", 10), (200, 10));
    assert_eq!(post(&mut client, "/plain", 1024), (200, 1024));
    assert_eq!(post(&mut client, "/large", 1024 * 1024), (200, 1024 * 1024));
    assert_eq!(post(&mut client, "/small", 11).0, 413);
    assert_eq!(post(&mut client, "/plain", 1025).0, 413);
    // A length that no route allows is a fault of the codec.
    let mut last = site.client();
    last.send(request("POST", "/large", "Content-Length: 2097153"));
    assert!(last.response().closes());
    assert_eq!(site.server.counts().long_bodies, 2);
}

#[test]
fn a_chunked_body_is_bounded_by_its_route() {
    let site = Site::start();
    for (target, length, status) in
        [("/small", 10, 200), ("/small", 11, 413), ("/plain", 1025, 413), ("/large", 5_000, 200)]
    {
        let mut client = site.client();
        client.send(request("POST", target, "Transfer-Encoding: chunked"));
        client.send(format!("{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length)));
        assert_eq!(client.response().status, status, "{target} {length}");
    }
}

#[test]
fn a_route_streams_its_bodies_and_the_others_read_them_whole() {
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    config.limits.body_bytes = 20;
    let mut graph = Graph::new("streamed");
    let mut http = Http::bind(config).unwrap();
    let stream = graph.stage::<HttpRequest>("stream", 8);
    let whole = graph.stage::<HttpRequest>("whole", 8);
    let routes =
        Routes::new().put("/stream", Endpoint::new(stream).streamed(40)).put("/whole", whole);
    http.routes(&mut graph, routes).unwrap();
    let length = |call: &mut HttpRequest| {
        let mut length = call.request.body().len();
        if let Some(mut body) = call.stream.take() {
            while let Some(piece) = body.read(LIMIT).unwrap() {
                length += 100 + piece.len();
            }
        }
        length
    };
    for stage in [stream, whole] {
        graph
            .attach_each(stage, |_wire| {
                move |mut call: HttpRequest, _cx: &mut Context| {
                    let length = length(&mut call);
                    call.respond(text(StatusCode::OK, format!("{length}")));
                }
            })
            .unwrap();
    }
    let server = http.serve(graph.start().unwrap()).unwrap();
    let mut client = Client::connect(server.local_addr());
    let mut put = |target: &str, length: usize| {
        client.send(request("PUT", target, &format!("Content-Length: {length}")));
        client.send("x".repeat(length));
        let response = client.response();
        (response.status, response.text().to_owned())
    };
    assert_eq!(put("/stream", 40), (200, "140".to_owned()));
    assert_eq!(put("/whole", 20), (200, "20".to_owned()));
    assert_eq!(put("/whole", 21).0, 413);
    assert_eq!(put("/stream", 41).0, 413);
}

/// The source of the route's own stage decides, before `100 Continue` and before the body.
#[test]
fn a_request_is_refused_at_the_head_by_the_stage_of_its_route() {
    let site = Site::start();
    let mut held = site.client();
    held.get("/hold");
    site.begun.recv_timeout(LIMIT).unwrap();
    let mut queued = site.client();
    queued.get("/hold");
    until("the second request is queued", || site.admitted() == 2);
    let mut client = site.client();
    client.send(request("POST", "/hold", "Content-Length: 5\r\nExpect: 100-continue"));
    assert_eq!(client.response().status, 503);
    client.expect_end();
    // The other stages have room.
    let mut client = site.client();
    client.send(request("POST", "/small", "Content-Length: 5\r\nExpect: 100-continue"));
    assert_eq!(client.response_without_body().status, 100);
    client.send("hello");
    assert_eq!(client.response().text(), "hello");
    assert_eq!(client.fetch("/users/7").text(), "user 7\n");
    assert_eq!(site.classified.load(Ordering::Relaxed), 5);
    for client in [&mut held, &mut queued] {
        site.release.send(()).unwrap();
        assert_eq!(client.response().text(), "held\n");
    }
}

/// The admin side has the limits of the settings, whatever a route allows.
#[test]
fn the_admin_side_takes_no_body_that_only_a_route_allows() {
    let site = Site::with(|config| config.body.timeout = Duration::from_secs(60));
    let mut client = site.client();
    client.send(request("GET", "/_seda/live", "Content-Length: 1025"));
    client.send([b'x'; 1025]);
    assert_eq!(client.response().status, 413);
    assert_eq!(client.fetch("/_seda/live").text(), "live\n");
}
