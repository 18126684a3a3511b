//! A server that sends its traces to a collector: a span for each request, and one for each stage.
//!
//! Type: `docker run --rm -p 4318:4318 -p 16686:16686 jaegertracing/jaeger` for a collector, then
//!       `just opentelemetry`, and in another terminal
//!
//! ```sh
//! parent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//! curl -H "traceparent: $parent" http://127.0.0.1:8080/
//! ```
//!
//! See:  on http://127.0.0.1:16686/ the trace `0af76519…`: a span `GET`, below it the stages
//!       `look_up` and `render`, each with `wait_seconds` and `batch`.
//!
//! Another collector: `OTEL_EXPORTER_OTLP_ENDPOINT=http://10.0.0.7:4318`. A part of the traces:
//! `OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.01`.

mod named;
mod remote_parent;
mod telemetry;
#[cfg(test)]
mod tests;

use seda::http::{Body, Http, HttpConfig, HttpRequest, Response, Server};
use seda::{Context, Graph};
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let traces = telemetry::start(None)?;
    let server = serve(HttpConfig::default())?;
    println!("http://{} (Enter drains the server)", server.local_addr());
    std::io::stdin().read_line(&mut String::new())?;
    println!("{}", server.drain(Duration::from_secs(5)).report);
    // The last spans are exported.
    traces.shutdown()?;
    Ok(())
}

/// Starts a server of two stages.
fn serve(config: HttpConfig) -> Result<Server, Box<dyn Error>> {
    let mut graph = Graph::new("opentelemetry");
    let mut http = Http::bind(config)?;
    let look_up = graph.stage::<HttpRequest>("look_up", 1_024);
    let render = graph.stage::<HttpRequest>("render", 1_024);
    http.entry(&mut graph, look_up)?;
    graph.attach_each(look_up, |wire| {
        let render = wire.sink(render);
        move |call: HttpRequest, cx: &mut Context| {
            // An event of the program is in the span of its stage.
            tracing::info!(path = call.request.uri().path(), "looks the page up");
            cx.send(&render, call).unwrap_or_else(seda::Refused::give_up);
        }
    })?;
    graph.attach_each(render, |_wire| {
        |call: HttpRequest, _cx: &mut Context| call.respond(Response::new(Body::from("hello\n")))
    })?;
    Ok(http.serve(graph.start()?)?)
}
