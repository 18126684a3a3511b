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
    Body, BodyReader, Endpoint, Event, EventSender, Http, HttpConfig, HttpRequest, Response,
    Routes, StatusCode, text,
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
    let subscribe = graph.stage::<HttpRequest>("subscribe", 1_024);
    let upload = graph.stage::<HttpRequest<String>>("upload", 256);
    let download = graph.stage::<HttpRequest<String>>("download", 256);
    let publish = graph.stage::<News>("publish", 1_024);
    let routes = Routes::new()
        .get("/events", subscribe)
        .put("/files/{name}", Endpoint::new(upload).streamed(UPLOAD_MOST))
        .get("/files/{name}", download);
    http.routes(&mut graph, routes)?;

    graph.attach_each(subscribe, |wire| {
        let publish = wire.sink(publish);
        move |call: HttpRequest, cx: &mut Context| {
            let seen = call.last_event_id().and_then(|id| id.parse().ok()).unwrap_or(0);
            let (sender, response) = EventSender::open();
            call.respond(response);
            // A refused subscriber's stream ends, and its client connects again.
            let _ = cx.send(&publish, News::Subscribed(sender, seen));
        }
    })?;

    // Each upload and each opened file holds a worker while it lasts.
    let files = StageConfig { workers: Some(WorkerRange::exactly(16)), ..StageConfig::default() };
    graph.configure(upload, files.clone())?;
    graph.configure(download, files)?;
    let stored = directory.clone();
    graph.attach_each(upload, |wire| {
        let publish = wire.sink(publish);
        move |call: HttpRequest<String>, cx: &mut Context| {
            if let Some(news) = take_upload(&stored, call) {
                let _ = cx.send(&publish, news);
            }
        }
    })?;
    graph.attach_each(download, |_wire| {
        move |call: HttpRequest<String>, _cx: &mut Context| {
            let file = file_of(&directory, &call.params).and_then(|path| open(&path).ok());
            match file {
                Some(body) => call.respond(Response::new(body)),
                None => call.respond(text(StatusCode::NOT_FOUND, "no such file\n")),
            }
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

/// Stores an upload and answers its request. Returns the news for the subscribers.
fn take_upload(directory: &Path, mut call: HttpRequest<String>) -> Option<News> {
    let (Some(path), Some(body)) = (file_of(directory, &call.params), call.stream.take()) else {
        call.respond(text(StatusCode::NOT_FOUND, "a name has letters, digits, - and _\n"));
        return None;
    };
    match store(&path, body) {
        Ok(length) => {
            let news = News::Stored(call.params.clone(), length);
            call.respond(text(StatusCode::CREATED, "stored\n"));
            Some(news)
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            call.respond(text(StatusCode::INTERNAL_SERVER_ERROR, "the file is not stored\n"));
            None
        }
    }
}

/// Returns the path of a file; `None` if its name has more than letters, digits, `-` and `_`.
fn file_of(directory: &Path, name: &str) -> Option<PathBuf> {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-_".contains(&it);
    (!name.is_empty() && name.bytes().all(is_plain)).then(|| directory.join(name))
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
