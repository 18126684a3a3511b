//! The graph of the web server: its stages, their handlers and the routes between them.

use crate::settings::Settings;
use crate::site::{Site, not_found};
use rustix::time::{ClockId, clock_gettime};
use seda::http::h1::RequestHead;
use seda::http::{
    Body, HeaderValue, Http, HttpRequest, Method, Response, Server, StatusCode, Uri, header,
};
use seda::{
    Class, Context, Graph, GraphError, Pool, Refused, Route, SendOptions, Sink, Stage, StageConfig,
    WorkerRange,
};
use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// The longest time that one request may burn or block, in seconds. A handler that takes much
/// longer counts as stuck.
const LONGEST: u64 = 5;
const MOST_MILLIS: u64 = LONGEST * 1_000;
const MOST_MICROS: u64 = LONGEST * 1_000_000;
/// Workers of `sleep`. Its handlers only block, so this is the number of sleeps at the same time.
const SLEEPERS: WorkerRange = WorkerRange::new(1, 64);

/// A request with the microseconds to burn, or the milliseconds to block.
type Timed = (u64, HttpRequest);

/// Starts the server. `route` and `files` never block, so they run on the reactor's own thread.
/// `disk` reads the files that are not in memory.
pub(crate) fn start(settings: Settings, site: Site) -> Result<Server, Box<dyn Error>> {
    let site = Arc::new(site);
    let deadline = settings.http.deadline;
    let mut http = Http::bind(settings.http)?;
    let mut graph = Graph::new("web_server");
    let reactors = http.pool(&mut graph);
    let route = graph.stage::<HttpRequest>("route", 4_096);
    let files = graph.stage::<HttpRequest>("files", 4_096);
    let work = graph.stage::<Timed>("work", 1_024);
    let sleep = graph.stage::<Timed>("sleep", 1_024);
    let page = graph.stage::<Timed>("page", 1_024);
    http.entry(&mut graph, route)?;
    graph.classes(&[("gold", 4), ("basic", 1)]);
    let routes = Routes {
        work: graph.route([work.id()])?,
        sleep: graph.route([sleep.id()])?,
        page: graph.route([page.id()])?,
    };
    let tenant_header = settings.tenant_header;
    http.classify(move |head| {
        let tenant = tenant_header.as_ref().and_then(|name| tenant(head, name));
        SendOptions { deadline, tenant, ..routes.classify(head) }
    });

    graph.attach_each_in(&reactors, route, |wire| {
        let (files, work, sleep) = (wire.sink(files), wire.sink(work), wire.sink(sleep));
        let page = wire.sink(page);
        move |call: HttpRequest, cx| {
            if !matches!(*call.request.method(), Method::GET | Method::HEAD) {
                return call.respond(not_allowed());
            }
            match call.request.uri().path() {
                "/work" => send_timed(cx, &work, "micros", MOST_MICROS, call),
                "/sleep" => send_timed(cx, &sleep, "millis", MOST_MILLIS, call),
                "/page" => send_timed(cx, &page, "micros", MOST_MICROS, call),
                _ => cx.send(&files, call).unwrap_or_else(Refused::give_up),
            }
        }
    })?;
    attach_files(&mut graph, &reactors, files, site)?;
    attach_work(&mut graph, work)?;
    attach_page(&mut graph, page)?;
    attach_sleep(&mut graph, sleep)?;
    graph.apply(settings.graph)?;
    Ok(http.serve(graph.start()?)?)
}

/// Sends a request with the value of its parameter to a stage, or answers 400.
fn send_timed(cx: &mut Context, to: &Sink<Timed>, name: &str, most: u64, call: HttpRequest) {
    match number(call.request.uri(), name, most) {
        // A refused send gives its request up: the client gets 503 at once.
        Ok(value) => cx.send(to, (value, call)).unwrap_or_else(Refused::give_up),
        Err(error) => call.respond(text(StatusCode::BAD_REQUEST, error)),
    }
}

/// Attaches the stage that burns CPU time.
fn attach_work(graph: &mut Graph, work: Stage<Timed>) -> Result<(), GraphError> {
    graph.attach_each(work, |_wire| {
        |(micros, call): Timed, _cx| {
            burn(Duration::from_micros(micros));
            call.respond(text(StatusCode::OK, format!("burned {micros} us\n")));
        }
    })
}

/// Attaches the stage that answers a cheaper page under pressure.
fn attach_page(graph: &mut Graph, page: Stage<Timed>) -> Result<(), GraphError> {
    graph.attach_each(page, |_wire| {
        // Degrade before any request is refused.
        |(micros, call): Timed, cx| {
            let (quality, micros) =
                if cx.pressure() < 0.5 { ("rich", micros) } else { ("cheap", micros / 10) };
            burn(Duration::from_micros(micros));
            call.respond(text(StatusCode::OK, format!("a {quality} page in {micros} us\n")));
        }
    })
}

/// Attaches the stage that blocks.
fn attach_sleep(graph: &mut Graph, sleep: Stage<Timed>) -> Result<(), GraphError> {
    graph.attach_each(sleep, |_wire| {
        |(millis, call): Timed, _cx| {
            block(Duration::from_millis(millis));
            call.respond(text(StatusCode::OK, format!("slept {millis} ms\n")));
        }
    })?;
    graph.configure(sleep, StageConfig { workers: Some(SLEEPERS), ..StageConfig::default() })
}

/// The routes to the stages behind `route`, for the entry gate.
struct Routes {
    work: Route,
    sleep: Route,
    page: Route,
}

impl Routes {
    /// Returns the class, the route and the cost of a request. While a stage is overloaded, the
    /// gate refuses requests of its route, expensive ones first. A request with a parameter out
    /// of range has no route: `route` answers it.
    fn classify(&self, head: &RequestHead) -> SendOptions {
        let visits = match head.uri().path() {
            "/work" => Some((self.work, "micros", MOST_MICROS)),
            "/sleep" => Some((self.sleep, "millis", MOST_MILLIS)),
            "/page" => Some((self.page, "micros", MOST_MICROS)),
            _ => None,
        };
        let priced = visits.and_then(|(route, name, most)| {
            Some((route, u32::try_from(number(head.uri(), name, most).ok()?).ok()?))
        });
        let (route, cost) = priced.unzip();
        SendOptions { class: class(head), route, cost, ..SendOptions::default() }
    }
}

/// Attaches the stages that serve the site: `files` from memory and, if the site is a directory,
/// `disk` from the disk.
fn attach_files(
    graph: &mut Graph,
    reactors: &Pool,
    files: Stage<HttpRequest>,
    site: Arc<Site>,
) -> Result<(), GraphError> {
    let disk = site.blocks().then(|| graph.stage::<HttpRequest>("disk", 4_096));
    if let Some(disk) = disk {
        let site = Arc::clone(&site);
        graph.attach_each(disk, |_wire| {
            move |call: HttpRequest, _cx: &mut Context| {
                let answer = site.answer(&call.request);
                call.respond(answer);
            }
        })?;
    }
    graph.attach_each_in(reactors, files, |wire| {
        let disk = disk.map(|disk| wire.sink(disk));
        move |call: HttpRequest, cx: &mut Context| match (site.try_answer(&call.request), &disk) {
            (Some(answer), _) => call.respond(answer),
            (None, Some(disk)) => cx.send(disk, call).unwrap_or_else(Refused::give_up),
            (None, None) => call.respond(not_found()),
        }
    })
}

/// Returns gold for a request that is more urgent than the default (`Priority: u=0`; the default is
/// 3: RFC 9218, section 4.1), else basic.
fn class(head: &RequestHead) -> Class {
    let priority = head.header("priority");
    let mut parameters = priority.into_iter().flat_map(|value| value.split(',')).map(str::trim);
    let urgency = parameters.find_map(|parameter| parameter.strip_prefix("u=")?.parse().ok());
    Class::new(u8::from(urgency.unwrap_or(3_u8) >= 3))
}

/// Returns the key of the tenant that a field names: a hash of its value. `None` without the field.
///
/// A real server takes it from an account that it has authenticated, because a client can write any
/// value into a field.
fn tenant(head: &RequestHead, name: &header::HeaderName) -> Option<u64> {
    let value = head.header(name.as_str())?;
    let mut hasher = DefaultHasher::new();
    value.as_bytes().hash(&mut hasher);
    Some(hasher.finish())
}

/// Returns the value of a query parameter, which must occur once and be from 0 to `most`.
fn number(target: &Uri, name: &str, most: u64) -> Result<u64, String> {
    let query = target.query().unwrap_or_default();
    let values = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut values = values.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let value = values.next().and_then(|value| value.parse().ok());
    let value = value.filter(|value| *value <= most && values.next().is_none());
    value.ok_or_else(|| format!("say ?{name}=N with N from 0 to {most}\n"))
}

/// Burns CPU time of this thread. Time in which another thread has the core does not count, as with
/// real work.
fn burn(demand: Duration) {
    let spent = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let end = spent() + demand;
    let mut sum = 0_u64;
    while spent() < end {
        // About 2 us between two reads of the clock, each of which is a system call.
        (0..2_000_u64).for_each(|n| sum = std::hint::black_box(sum.wrapping_mul(31) ^ n));
    }
}

#[expect(clippy::disallowed_methods, reason = "this stage exists to block")]
fn block(time: Duration) {
    std::thread::sleep(time);
}

fn not_allowed() -> Response<Body> {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n");
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// Returns a plain-text response.
pub(crate) fn text(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}
