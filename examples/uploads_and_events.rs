//! A server that stores uploads of any length, and tells its subscribers about each.
//!
//! Type: `cargo run --release --example uploads_and_events`, and in other terminals
//!       `curl -N http://127.0.0.1:8080/events`
//!       `curl -T Cargo.lock http://127.0.0.1:8080/files/one`
//!       `curl http://127.0.0.1:8080/files/one`
//! See:  the first `curl` prints `event: stored` with the name and the length of each file. An
//!       upload of 10 GiB takes no more memory than one of 1 MiB. After Enter the server drains:
//!       event streams end at once, uploads are finished.
//!
//! `uploads_and_events DIRECTORY ADDRESS` stores the files elsewhere, and listens elsewhere.

use seda::http::{
    Body, BodyReader, Event, EventSender, Http, HttpConfig, HttpRequest, Method, Response,
    StatusCode,
};
use seda::{Context, Graph, Handler, StageConfig, WorkerRange};
use std::collections::VecDeque;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest upload.
const UPLOAD_MOST: u64 = 64 * 1024 * 1024 * 1024;

/// The wait for the next bytes of an upload. The server's own limits end a slow one earlier.
const READ_LIMIT: Duration = Duration::from_secs(60);

/// Events that a client gets which connects again.
const REMEMBERED: usize = 100;

/// What the stage `publish` takes.
enum News {
    /// A client subscribes. It has seen the events up to this number.
    Subscribed(EventSender, u64),
    /// A file of this name and length is stored.
    Stored(String, u64),
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let mut config = HttpConfig::default(); // 127.0.0.1:8080
    if let Some(address) = arguments.next() {
        config.listen = address.parse()?;
    }

    let mut graph = Graph::new("uploads_and_events");
    let mut http = Http::bind(config)?;
    http.stream_bodies(|head| head.uri().path().starts_with("/files/").then_some(UPLOAD_MOST));
    let route = graph.stage::<HttpRequest>("route", 1_024);
    let disk = graph.stage::<HttpRequest>("disk", 256);
    let publish = graph.stage::<News>("publish", 1_024);
    http.entry(&mut graph, route)?;

    graph.attach_each(route, |wire| {
        let (disk, publish) = (wire.sink(disk), wire.sink(publish));
        move |call: HttpRequest, cx: &mut Context| match call.request.uri().path() {
            "/events" => {
                let seen = call.last_event_id().and_then(|id| id.parse().ok()).unwrap_or(0);
                let (sender, response) = EventSender::open();
                call.respond(response);
                // A refused subscriber's stream ends, and its client connects again.
                let _ = cx.send(&publish, News::Subscribed(sender, seen));
            }
            path if path.starts_with("/files/") => {
                // A refused request is answered with 503.
                let _ = cx.send(&disk, call).map_err(seda::Refused::give_up);
            }
            _ => respond(call, StatusCode::NOT_FOUND, "try /events or /files/NAME\n"),
        }
    })?;

    // Each upload holds a worker while it lasts.
    let workers = Some(WorkerRange::exactly(16));
    graph.configure(disk, StageConfig { workers, ..StageConfig::default() })?;
    graph.attach_each(disk, |wire| {
        let publish = wire.sink(publish);
        move |call: HttpRequest, cx: &mut Context| {
            serve_file(&directory, call, |stored| {
                let _ = cx.send(&publish, stored);
            })
        }
    })?;

    let workers = Some(WorkerRange::exactly(1));
    graph.configure(publish, StageConfig { workers, ..StageConfig::default() })?;
    graph.attach(publish, |_wire| || Ok(Publisher::default()))?;

    let server = http.serve(graph.start()?)?;
    println!("http://{} (Enter drains the server)", server.local_addr());
    io::stdin().read_line(&mut String::new())?;
    println!("{}", server.drain(Duration::from_secs(30)).report);
    Ok(())
}

/// Stores or sends a file.
fn serve_file(directory: &Path, mut call: HttpRequest, stored: impl FnOnce(News)) {
    let name = call.request.uri().path().trim_start_matches("/files/").to_owned();
    if !is_plain(&name) {
        return respond(call, StatusCode::NOT_FOUND, "a name has letters, digits, - and _\n");
    }
    let path = directory.join(&name);
    match (call.request.method().clone(), call.stream.take()) {
        (Method::PUT, Some(body)) => match store(&path, body) {
            Ok(length) => {
                respond(call, StatusCode::CREATED, "stored\n");
                stored(News::Stored(name, length));
            }
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                respond(call, StatusCode::INTERNAL_SERVER_ERROR, "the file is not stored\n");
            }
        },
        (Method::GET | Method::HEAD, _) => match open(&path) {
            Ok(body) => call.respond(Response::new(body)),
            Err(_) => respond(call, StatusCode::NOT_FOUND, "no such file\n"),
        },
        _ => respond(call, StatusCode::METHOD_NOT_ALLOWED, "GET or PUT\n"),
    }
}

/// Writes a body to a file, which has its name once it is whole. Returns its length.
fn store(path: &Path, mut body: BodyReader) -> io::Result<u64> {
    let part = path.with_extension(format!("{:?}.part", std::thread::current().id()));
    let mut file = File::create(&part)?;
    let mut length = 0;
    let mut write = || {
        while let Some(piece) = body.read(READ_LIMIT).map_err(io::Error::other)? {
            file.write_all(&piece)?;
            length += piece.len() as u64;
        }
        fs::rename(&part, path)
    };
    if let Err(error) = write() {
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    Ok(length)
}

fn open(path: &Path) -> io::Result<Body> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok(Body::File(file, length))
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
}

fn respond(call: HttpRequest, status: StatusCode, text: &'static str) {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    call.respond(response);
}

/// Sends each event to all subscribers.
#[derive(Default)]
struct Publisher {
    subscribers: Vec<EventSender>,
    /// The last events, oldest first.
    events: VecDeque<(u64, Event)>,
    /// The number of the last event.
    last: u64,
}

impl Handler<News> for Publisher {
    fn handle(&mut self, news: News, _cx: &mut Context) {
        match news {
            News::Subscribed(mut sender, seen) => {
                let mut missed = self.events.iter().filter(|(number, _)| *number > seen);
                if missed.all(|(_, event)| sender.try_send(event).is_ok()) {
                    self.subscribers.push(sender);
                }
            }
            News::Stored(name, length) => {
                self.last += 1;
                let event = Event::new(format!("{name}\n{length} bytes")).named("stored");
                let Ok(event) = event.and_then(|event| event.with_id(&self.last.to_string()))
                else {
                    return;
                };
                // Those that have left go. One that does not read goes, too: it connects again.
                self.subscribers.retain_mut(|it| it.try_send(&event).is_ok());
                self.events.push_back((self.last, event));
                if self.events.len() > REMEMBERED {
                    self.events.pop_front();
                }
            }
        }
    }
}
