//! An axum app with its heavy work in stages: a graph that computes, and a pool that blocks.
//!
//! `/thumbnail/{size}` asks a stage that computes, with one worker for each core at most.
//! `/notes/{id}` reads and writes files by `Blocking`, as calls to SQLite would be. A stage that
//! has no room answers 503 at once, and the threads of tokio stay free for the other routes.
//!
//! Type: `cargo run --release -p seda-tower --example axum_stages -- --listen 127.0.0.1:8080`
//!       `curl -X PUT -d hello http://127.0.0.1:8080/notes/1`
//!       `curl http://127.0.0.1:8080/notes/1`
//!       `curl http://127.0.0.1:8080/thumbnail/64`
//! See:  the note, and the checksum of a picture; `/stages/report?format=text` has the waits of the
//!       stage and its workers, and `/notes_report` those of the pool.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, serve};
use clap::Parser;
use seda_core::{Context, Graph};
use seda_tower::{AdminService, Blocking, Call, StageError, StageService};
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::{fs, io};
use tokio::net::TcpListener;
use tower::ServiceExt;

/// The largest side of a picture, in pixels.
const SIDE_MOST: u32 = 4_096;

#[derive(Parser)]
struct Flags {
    /// Where to listen; port 0 chooses a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// The side of a picture, and its checksum.
type Render = Call<u32, u64>;

#[derive(Clone)]
struct App {
    render: StageService<u32, u64>,
    disk: Blocking,
    notes: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    let mut graph = Graph::new("stages");
    let render = graph.stage::<Render>("render", 256);
    graph.attach_each(render, |_wire| {
        |call: Render, _cx: &mut Context| {
            let sum = checksum(call.request);
            call.respond(sum);
        }
    })?;
    let render = StageService::new(graph.source(render)?);
    let running = graph.start()?;

    let notes = std::env::temp_dir().join(format!("axum_stages-{}", std::process::id()));
    fs::create_dir_all(&notes)?;
    let app = App { render, disk: Blocking::start("notes")?, notes };
    let router = Router::new()
        .route("/hello", get(|| async { "hello\n" }))
        .route("/thumbnail/{side}", get(thumbnail))
        .route("/notes/{id}", get(read_note).put(write_note))
        .route(
            "/notes_report",
            get(|State(app): State<App>| async move { app.disk.report().to_string() }),
        )
        .with_state(app)
        .nest_service("/stages", AdminService::new(running.snapshots()));
    let listener = TcpListener::bind(flags.listen).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(serve(listener, router).await?)
}

async fn thumbnail(State(app): State<App>, Path(side): Path<u32>) -> Response {
    match app.render.oneshot(side.min(SIDE_MOST)).await {
        Ok(sum) => format!("{sum:016x}\n").into_response(),
        Err(error) => unavailable(error),
    }
}

async fn read_note(State(app): State<App>, Path(id): Path<u64>) -> Response {
    let path = app.notes.join(id.to_string());
    note(app.disk.spawn(move || fs::read_to_string(path)).await)
}

async fn write_note(State(app): State<App>, Path(id): Path<u64>, text: String) -> Response {
    let path = app.notes.join(id.to_string());
    note(app.disk.spawn(move || fs::write(path, &text).map(|()| text)).await)
}

/// Returns a note, or the reason why there is none.
fn note(result: Result<io::Result<String>, StageError>) -> Response {
    match result {
        Ok(Ok(text)) => text.into_response(),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            StatusCode::NOT_FOUND.into_response()
        }
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        Err(error) => unavailable(error),
    }
}

fn unavailable(error: StageError) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response()
}

/// Returns the checksum of a picture with sides of this length: about a nanosecond for each pixel.
fn checksum(side: u32) -> u64 {
    let pixels = u64::from(side) * u64::from(side);
    (0..pixels).fold(0xCBF2_9CE4_8422_2325, |sum, pixel| {
        std::hint::black_box((sum ^ pixel).wrapping_mul(0x0100_0000_01B3))
    })
}
