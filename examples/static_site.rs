//! A static site: the files of a directory, from memory or from the disk.
//!
//! Type: `cargo run --release --example static_site -- docs`, and in another terminal
//!       `curl -i http://127.0.0.1:8080/http.md`
//!       `curl -i -r 0-99 http://127.0.0.1:8080/http.md`
//! See:  the file with its ETag, then its first 100 bytes; after Enter the server drains and prints
//!       its report. The stage `site` answers on the reactor's thread, without a wait for the disk.
//!       What it does not find in memory goes to `disk`, with workers of its own.

use seda::http::{Files, FilesConfig, Http, HttpConfig, HttpRequest};
use seda::{Graph, Refused};
use std::{env, error::Error, io, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let root = env::args().nth(1).unwrap_or_else(|| "docs".to_owned());
    let files = Files::open(&root, FilesConfig::default())?;
    let mut graph = Graph::new("static_site");
    let mut http = Http::bind(HttpConfig::default())?; // 127.0.0.1:8080
    let reactors = http.pool(&mut graph);
    let site = graph.stage::<HttpRequest>("site", 4_096); // name, event type, queue capacity
    let disk = graph.stage::<HttpRequest>("disk", 4_096);
    http.entry(&mut graph, site)?; // requests enter here
    let cached = files.clone();
    graph.attach_each_in(&reactors, site, |wire| {
        let disk = wire.sink(disk);
        move |call: HttpRequest, cx| match cached.try_respond(&call.request) {
            Some(answer) => call.respond(answer),
            None => cx.send(&disk, call).unwrap_or_else(Refused::give_up), // full: 503
        }
    })?;
    graph.attach_each(disk, |_wire| {
        move |call: HttpRequest, _cx| {
            let answer = files.respond(&call.request);
            call.respond(answer);
        }
    })?;
    let server = http.serve(graph.start()?)?;
    println!("the files of {root} on http://{} (Enter drains)", server.local_addr());
    io::stdin().read_line(&mut String::new())?;
    println!("{}", server.drain(Duration::from_secs(5)).report);
    Ok(())
}
