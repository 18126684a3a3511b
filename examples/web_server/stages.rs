//! The graph of the web server: its stages, their handlers and the routes to them.

use crate::settings::Settings;
use crate::site::{Site, not_found};
use rustix::time::{ClockId, clock_gettime};
use seda::http::h1::RequestHead;
use seda::http::{Endpoint, Http, HttpRequest, Routes, Server, StatusCode, header, text};
use seda::{
    Class, Context, Graph, GraphError, Pool, Refused, SendOptions, Stage, StageConfig, WorkerRange,
};
use serde::Deserialize;
use std::error::Error;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The longest time that one request may burn or block, in seconds. A handler that takes much
/// longer counts as stuck.
const LONGEST: u64 = 5;
const MOST_MILLIS: u64 = LONGEST * 1_000;
const MOST_MICROS: u64 = LONGEST * 1_000_000;
/// Workers of `sleep`. Its handlers only block, so this is the number of sleeps at the same time.
const SLEEPERS: WorkerRange = WorkerRange::new(1, 64);

/// `?micros=N`: the time to burn.
#[derive(Debug, Deserialize)]
pub(crate) struct Burn {
    micros: UpTo<MOST_MICROS>,
}

/// `?millis=N`: the time to block.
#[derive(Debug, Deserialize)]
pub(crate) struct Pause {
    millis: UpTo<MOST_MILLIS>,
}

/// A number from 0 to `MOST`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u64")]
struct UpTo<const MOST: u64>(u64);

impl<const MOST: u64> TryFrom<u64> for UpTo<MOST> {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        if number <= MOST { Ok(Self(number)) } else { Err(format!("say a number up to {MOST}")) }
    }
}

impl Burn {
    /// Returns the cost of the request: while a stage is overloaded, its gate refuses expensive
    /// requests first.
    fn cost(&self) -> u32 {
        u32::try_from(self.micros.0).unwrap_or(u32::MAX)
    }
}

impl Pause {
    fn cost(&self) -> u32 {
        u32::try_from(self.millis.0).unwrap_or(u32::MAX)
    }
}

/// Starts the server. `files` never blocks, so it runs on the reactor's own thread. `disk` reads
/// the files that are not in memory.
pub(crate) fn start(settings: Settings, site: Site) -> Result<Server, Box<dyn Error>> {
    let mut http = Http::bind(settings.http)?;
    match settings.access_log.filter(|file| file.as_os_str() != "-") {
        Some(file) => http.access_log(File::options().create(true).append(true).open(file)?),
        None => http.access_log(io::stdout()),
    }
    let mut graph = Graph::new("web_server");
    let reactors = http.pool(&mut graph);
    let files = graph.stage::<HttpRequest>("files", 4_096);
    let work = graph.stage::<HttpRequest<Burn>>("work", 1_024);
    let sleep = graph.stage::<HttpRequest<Pause>>("sleep", 1_024);
    let page = graph.stage::<HttpRequest<Burn>>("page", 1_024);
    graph.classes(&[("gold", 4), ("basic", 1)]);
    let routes = Routes::new()
        .get("/work", Endpoint::new(work).cost(Burn::cost))
        .get("/sleep", Endpoint::new(sleep).cost(Pause::cost))
        .get("/page", Endpoint::new(page).cost(Burn::cost))
        .get("/", files)
        .get("/{*path}", files);
    let routes =
        if site.has_all_methods() { routes.any("/", files).any("/{*path}", files) } else { routes };
    http.routes(&mut graph, routes)?;
    let tenant_header = settings.tenant_header;
    http.classify(move |head, options| {
        let tenant = tenant_header.as_ref().and_then(|name| tenant(head, name));
        SendOptions { class: class(head), tenant, ..options }
    });

    attach_files(&mut graph, &reactors, files, Arc::new(site))?;
    attach_work(&mut graph, work)?;
    attach_page(&mut graph, page)?;
    attach_sleep(&mut graph, sleep)?;
    graph.apply(settings.graph)?;
    Ok(http.serve(graph.start()?)?)
}

/// Attaches the stage that burns CPU time.
fn attach_work(graph: &mut Graph, work: Stage<HttpRequest<Burn>>) -> Result<(), GraphError> {
    graph.attach_each(work, |_wire| {
        |call: HttpRequest<Burn>, _cx| {
            let micros = call.params.micros.0;
            burn(Duration::from_micros(micros));
            call.respond(text(StatusCode::OK, format!("burned {micros} us\n")));
        }
    })
}

/// Attaches the stage that answers a cheaper page under pressure.
fn attach_page(graph: &mut Graph, page: Stage<HttpRequest<Burn>>) -> Result<(), GraphError> {
    graph.attach_each(page, |_wire| {
        // Degrade before any request is refused.
        |call: HttpRequest<Burn>, cx| {
            let micros = call.params.micros.0;
            let (quality, micros) =
                if cx.pressure() < 0.5 { ("rich", micros) } else { ("cheap", micros / 10) };
            burn(Duration::from_micros(micros));
            call.respond(text(StatusCode::OK, format!("a {quality} page in {micros} us\n")));
        }
    })
}

/// Attaches the stage that blocks.
fn attach_sleep(graph: &mut Graph, sleep: Stage<HttpRequest<Pause>>) -> Result<(), GraphError> {
    graph.attach_each(sleep, |_wire| {
        |call: HttpRequest<Pause>, _cx| {
            let millis = call.params.millis.0;
            block(Duration::from_millis(millis));
            call.respond(text(StatusCode::OK, format!("slept {millis} ms\n")));
        }
    })?;
    graph.configure(sleep, StageConfig { workers: Some(SLEEPERS), ..StageConfig::default() })
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
