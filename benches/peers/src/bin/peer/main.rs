//! One server to compare seda with: `peer axum-limit --listen 127.0.0.1:8081 --limit 64`.
//!
//! All kinds have the same routes: `/` says "Hello, world!", `/work?micros=N` uses CPU time,
//! `/sleep?millis=N` waits, `/file8k` is 8 KiB from memory. A refusal is a 503 with Retry-After.
//! The kinds differ in the thread that does the work and in the part that refuses.

mod actix_server;
mod axum_server;
mod bounded_queue;
mod hyper_server;
mod listener;
mod refusing_loop;
mod settings;

use clap::Parser;
use settings::{Flags, Settings};
use std::error::Error;
use std::io::{self, Read};
use std::process::{ExitCode, exit};
use std::thread;

fn main() -> ExitCode {
    let flags = Flags::parse();
    match serve(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn serve(flags: &Flags) -> Result<(), Box<dyn Error>> {
    let settings = flags.settings()?;
    let listener = listener::listen(flags.listen)
        .map_err(|error| format!("--listen {}: {error}; name a free address", flags.listen))?;
    // From now on a client can connect; it waits in the backlog until the server accepts.
    println!("listening on http://{}", listener.local_addr()?);
    thread::Builder::new().name("input".into()).spawn(exit_with_input)?;
    match settings {
        Settings::Axum { threads, blocking_threads, work } => {
            axum_server::serve(
                listener,
                axum_server::router(work, threads)?,
                threads,
                blocking_threads,
            )?;
        }
        Settings::Actix { threads, blocks } => actix_server::serve(listener, threads, blocks)?,
        Settings::RefusingLoop => refusing_loop::serve(listener)?,
        Settings::Hyper => hyper_server::serve(listener)?,
    }
    Ok(())
}

/// Ends the process, without a drain, when the other end of its input is closed.
fn exit_with_input() {
    let _ = io::copy(&mut io::stdin().by_ref(), &mut io::sink());
    exit(0);
}
