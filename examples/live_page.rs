//! A shop as a graph of six stages, to be seen on its live page: items are found in a cache or read
//! from a slow database, rendered and counted.
//!
//! Type: `cargo run --release --example live_page`, open http://127.0.0.1:8080/_seda/ in a browser,
//!       and in another terminal `seda load http://127.0.0.1:8080/items/4 --rate 300` (the program
//!       of `cargo install --path seda-tools`)
//! See:  rates on the edges of the graph and the fill of its queues; `database` as the bottleneck
//!       once more than 200 items a second are not in the cache, with the reason and the remedy.
//!
//! `live_page ADDRESS` listens elsewhere. After Enter the server drains.

use seda::http::{Http, HttpConfig, HttpRequest, Routes, StatusCode, text};
use seda::{Context, Graph, GraphError, Refused, SloConfig, Stage, StageConfig, WorkerRange};
use std::error::Error;
use std::io;
use std::time::Duration;

/// The time of one read of the database.
const READ: Duration = Duration::from_millis(10);

/// One in this many items is not in the cache.
const MISSED: u64 = 4;

/// A request for an item.
struct Asked {
    call: HttpRequest<u64>,
    /// The item was read from the database.
    is_read: bool,
}

/// The stages behind the entry.
#[derive(Clone, Copy)]
struct Stages {
    lookup: Stage<Asked>,
    database: Stage<Asked>,
    render: Stage<Asked>,
    count: Stage<u64>,
    mail: Stage<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut config = HttpConfig::default(); // 127.0.0.1:8080
    config.access_log.server_timing = true;
    if let Some(address) = std::env::args().nth(1) {
        config.listen = address.parse()?;
    }
    let mut graph = Graph::new("shop");
    graph.classes(&[("gold", 4), ("basic", 1)]);
    let mut http = Http::bind(config)?;
    let entry = graph.stage::<HttpRequest<u64>>("entry", 1_024);
    let stages = Stages {
        lookup: graph.stage("lookup", 512),
        database: graph.stage("database", 64),
        render: graph.stage("render", 256),
        count: graph.stage("count", 1_024),
        mail: graph.stage("mail", 128),
    };
    http.routes(&mut graph, Routes::new().get("/items/{id}", entry))?;
    let reactors = http.pool(&mut graph);
    graph.attach_in(&reactors, entry, |wire| {
        let lookup = wire.sink(stages.lookup);
        move || {
            let lookup = lookup.clone();
            Ok(seda::each(move |call: HttpRequest<u64>, cx: &mut Context| {
                let asked = Asked { call, is_read: false };
                cx.send(&lookup, asked).unwrap_or_else(Refused::give_up);
            }))
        }
    })?;
    attach(&mut graph, stages)?;
    let server = http.serve(graph.start()?)?;
    println!("the live page: http://{}/_seda/", server.local_addr());
    println!("try: curl -i http://{}/items/7", server.local_addr());
    println!("Enter drains.");
    io::stdin().read_line(&mut String::new())?;
    println!("{}", server.drain(Duration::from_secs(5)).report);
    Ok(())
}

/// Attaches the stages behind the entry. An item that was not in the cache is looked up again after
/// it was read, so the graph has a cycle.
fn attach(graph: &mut Graph, stages: Stages) -> Result<(), GraphError> {
    let Stages { lookup, database, render, count, mail } = stages;
    graph.attach_each(lookup, |wire| {
        let (database, render) = (wire.sink(database), wire.sink(render));
        move |asked: Asked, cx| {
            let is_missed = asked.call.params.is_multiple_of(MISSED) && !asked.is_read;
            let next = if is_missed { &database } else { &render };
            cx.send(next, asked).unwrap_or_else(Refused::give_up);
        }
    })?;
    graph.attach_each(database, |wire| {
        let lookup = wire.sink(lookup);
        move |asked: Asked, cx| {
            std::thread::park_timeout(READ);
            cx.send(&lookup, Asked { is_read: true, ..asked }).unwrap_or_else(Refused::give_up);
        }
    })?;
    graph.attach_each(render, |wire| {
        let count = wire.sink(count);
        move |Asked { call, .. }: Asked, cx| {
            let id = call.params;
            let page: String = (0..200).map(|line| format!("<p>{id}, {line}</p>\n")).collect();
            cx.send(&count, id).unwrap_or_else(Refused::give_up);
            call.respond(text(StatusCode::OK, page));
        }
    })?;
    graph.attach_each(count, |wire| {
        let mail = wire.sink(mail);
        move |id: u64, cx| {
            if id.is_multiple_of(100) {
                cx.send(&mail, id).unwrap_or_else(Refused::give_up);
            }
        }
    })?;
    graph.attach_each(mail, |_wire| |_id: u64, _cx| std::thread::park_timeout(READ / 10))?;
    let workers = Some(WorkerRange::new(1, 2));
    graph.configure(database, StageConfig { workers, ..StageConfig::default() })?;
    graph.slo(SloConfig::new(Duration::from_millis(50)));
    Ok(())
}
