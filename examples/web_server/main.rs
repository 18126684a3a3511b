//! A web server as a graph of stages: `route` decides, `files` serves a site, `work` burns CPU,
//! `sleep` blocks, `page` burns CPU and is content with a tenth of it under pressure.
//!
//! Type: `cargo run --release --example web_server`, and in another terminal
//!       `curl 'http://127.0.0.1:8080/work?micros=1000'`
//!       `curl 'http://127.0.0.1:8080/_seda/report?format=text'`
//! See:  the demo site on http://127.0.0.1:8080/; after Ctrl-C (or SIGTERM) it drains, answers
//!       everything it has received, and prints a final report.
//!
//! `--help` lists the flags; `settings.rs` shows the file that `--config` reads. After
//! `kill -HUP` that file is read again: what it says of the graph holds from there on, whole or,
//! if anything in it is wrong, not at all.

mod directory;
mod file;
mod reload;
mod settings;
mod site;
mod stages;
mod trace;

use clap::Parser;
use settings::{Flags, Settings};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::filter::LevelFilter;

/// What requests in flight get to finish after the signal.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) if error.use_stderr() => {
            // The first paragraph says it; the rest would be the whole usage.
            let words = error.to_string();
            let first = words.split("\n\n").next().unwrap_or_default().replace('\n', " ");
            eprintln!("{first} (--help lists the flags)");
            return ExitCode::from(2);
        }
        Err(help) => {
            print!("{help}");
            return ExitCode::SUCCESS;
        }
    };
    match serve(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn serve(flags: Flags) -> Result<(), Box<dyn Error>> {
    // The libraries' warnings, on stderr: they install no subscriber themselves. Below warnings
    // nothing is asked for, so what they trace costs one comparison.
    tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(io::stderr).init();
    let settings = Settings::from_flags(&flags)?;
    let http = settings.http.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if flags.config.is_some() {
        // Without a file to read again the signal ends the program, as it always does.
        signals.add_signal(SIGHUP)?;
    }
    let (site, described) = site::Site::open(&flags)?;
    let server = stages::start(settings, site)?;

    let url = format!("http://{}", server.local_addr());
    println!("serving {described} on {url}");
    println!("try: curl {url}/");
    println!("     curl '{url}/work?micros=1000'      burns a millisecond of CPU");
    println!("     curl '{url}/sleep?millis=50'       blocks for 50 ms");
    println!("     curl '{url}/page?micros=4000'      rich, or cheap under pressure");
    println!("     curl '{url}/_seda/report?format=text'");
    println!("     curl {url}/_seda/graph | dot -Tsvg");
    println!("Ctrl-C drains and prints a report.");

    for _ in signals.forever().take_while(|signal| *signal == SIGHUP) {
        reload::reload(&flags, &http, &server);
    }
    eprintln!("draining");
    let drained = server.drain(DRAIN_LIMIT);
    println!("{}", drained.report);
    Ok(())
}
