//! An HTTP server with one stage on the thread of the reactor:
//! `cargo run --release -p seda-http --example hello`.
//!
//! The server drains and prints its report at the end of standard input.

use seda_core::{Context, Graph, each};
use seda_http::{Body, Http, HttpConfig, HttpRequest, Response};
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut graph = Graph::new("hello");
    let mut http = Http::bind(HttpConfig::default())?;
    let hello = graph.stage::<HttpRequest>("hello", 1_024);
    let reactors = http.pool(&mut graph);
    http.entry(&mut graph, hello)?;
    graph.attach_in(&reactors, hello, |_wire| {
        || {
            Ok(each(|call: HttpRequest, _cx: &mut Context| {
                call.respond(Response::new(Body::from("hello\n")));
            }))
        }
    })?;
    let server = http.serve(graph.start()?)?;
    println!("http://{}/ and http://{0}/_seda/report?format=text", server.local_addr());
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    println!("{}", server.drain(Duration::from_secs(5)).report);
    Ok(())
}
