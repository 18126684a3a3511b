//! A gRPC server of tonic behind the admission layer: calls with deadlines, from two tenants.
//!
//! The layer refuses what cannot be served in time with RESOURCE_EXHAUSTED, and says in
//! `grpc-retry-pushback-ms` when to try again. The deadline of a call, `grpc-timeout`, bounds its
//! wait. While calls are refused, the tenants share the server fairly: one that sends ten times as
//! many calls as another does not crowd it out. `--plain` runs the same server without the layer.
//!
//! Type: `cargo run --release -p seda-tower --example tonic_admission -- --listen 127.0.0.1:50051`
//!       and in another terminal, for ten seconds at twice the capacity of two threads,
//!       `cargo run --release -p seda-tower --example tonic_admission -- \
//!           --client http://127.0.0.1:50051`
//! See:  the calls of each tenant by their outcome. Nearly all those of `modest` are answered, and
//!       those of `greedy` as far as the threads reach; the others are refused at once. A server
//!       with `--plain` answers few calls of either in time. Ctrl-C drains the server and prints
//!       its report, with both tenants.

mod client;
mod method;

use clap::Parser;
use client::Load;
use method::Work;
use seda_core::SendOptions;
use seda_tower::{Admission, Drain, GrpcStatus, RequestHead};
use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// The time that the server has to end.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

#[derive(Parser)]
struct Flags {
    /// Where to listen; port 0 chooses a free one
    #[arg(long, default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// The threads of the server
    #[arg(long, default_value = "2")]
    threads: NonZeroUsize,
    /// Runs tonic alone, without admission
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    load: Load,
}

fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(flags.threads.get()).enable_all().build()?;
    runtime.block_on(async {
        match flags.load.server() {
            Some(server) => flags.load.run(server).await,
            None => serve(&flags).await,
        }
    })
}

async fn serve(flags: &Flags) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(flags.listen).await?;
    println!("http://{}", listener.local_addr()?);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    if flags.plain {
        let server = Server::builder().add_service(Work);
        return Ok(server.serve_with_incoming_shutdown(incoming, interrupt()).await?);
    }

    let admission = Admission::new().classify(by_tenant).grpc_status(GrpcStatus::ResourceExhausted);
    admission.start()?;
    let server = Server::builder().layer(admission.clone()).add_service(Work);
    let ended = Drain::new(&admission, DRAIN_LIMIT)
        .serve(interrupt(), |stop| server.serve_with_incoming_shutdown(incoming, stop))
        .await;
    if let Some(drained) = ended.graph {
        println!("{}", drained.report);
    }
    Ok(ended.server.unwrap_or(Ok(()))?)
}

/// Returns the tenant of a call: the hash of its name. A public server takes the name from checked
/// credentials, because a client could make up a new one for each call.
fn by_tenant(head: &RequestHead<'_>) -> SendOptions {
    let tenant = head.headers.get(method::TENANT).map(|name| {
        let mut hasher = DefaultHasher::new();
        name.as_bytes().hash(&mut hasher);
        hasher.finish()
    });
    SendOptions { tenant, ..SendOptions::default() }
}

/// Resolves at Ctrl-C.
async fn interrupt() {
    // Without a handler of the signal the process ends at once.
    let _ = tokio::signal::ctrl_c().await;
}
