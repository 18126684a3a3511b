//! An HTTP server with one stage: the README's first program.
//!
//! Type: `cargo run --release --example hello_server`, and in another terminal
//!       `curl http://127.0.0.1:8080/`
//! See:  `hello`; after Enter the server drains and prints its report.

use seda::Graph;
use seda::http::{Body, Http, HttpConfig, HttpRequest, Response};
use std::{error::Error, io, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let mut graph = Graph::new("hello_server");
    let mut http = Http::bind(HttpConfig::default())?; // 127.0.0.1:8080
    let hello = graph.stage::<HttpRequest>("hello", 1_024); // name, event type, queue capacity
    http.entry(&mut graph, hello)?; // requests enter here
    graph.attach_each(hello, |_wire| {
        |call: HttpRequest, _cx| call.respond(Response::new(Body::from("hello\n")))
    })?;
    let server = http.serve(graph.start()?)?;
    println!("http://{} (Enter drains the server)", server.local_addr());
    io::stdin().read_line(&mut String::new())?;
    println!("{}", server.drain(Duration::from_secs(5)).report);
    Ok(())
}
