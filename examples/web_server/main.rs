//! A web server as a graph of stages: `files` serves a site, `work` burns CPU time, `sleep` blocks,
//! `page` burns CPU time, under pressure only a tenth of it. A table of routes chooses the stage.
//!
//! Type: `cargo run --release --example web_server`, and in another terminal
//!       `curl 'http://127.0.0.1:8080/work?micros=1000'`
//!       `curl 'http://127.0.0.1:8080/_seda/report?format=text'`
//! See:  the demo site on http://127.0.0.1:8080/, and the live page of the graph on
//!       http://127.0.0.1:8080/_seda/. After Ctrl-C (or SIGTERM) the server drains: it answers all
//!       received requests and prints a final report. With `--lame-duck 10s` it first serves on for
//!       that time, while `/readyz` fails, so that a balancer sends clients elsewhere.
//!
//! `--help` lists the flags; `settings.rs` shows the file that `--config` reads. `kill -HUP` makes
//! the server read that file again. Its settings of the graph then take effect, all of them or, if
//! one is invalid, none. With `--history`, `kill -USR1` writes the last ten minutes to a file.
//! With `--features tls` the flags `--tls-cert` and `--tls-key` encrypt it.

mod file;
mod history;
mod reload;
mod settings;
mod site;
mod stages;
mod trace;

use clap::Parser;
use seda::http::{AdminPlace, ListenPlace};
use settings::{Flags, Settings};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::filter::LevelFilter;

/// The time for requests in flight after the signal.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) if error.use_stderr() => {
            // The first paragraph has the error; the rest is the whole usage.
            let message = error.to_string();
            let first = message.split("\n\n").next().unwrap_or_default().replace('\n', " ");
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
    // Print the libraries' warnings on stderr: a library installs no subscriber. Events below
    // warnings are filtered by one comparison each.
    tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(io::stderr).init();
    let settings = Settings::from_flags(&flags)?;
    let started = settings.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if flags.config.is_some() || is_encrypted(&settings) {
        // Without a file, the signal ends the program as usual.
        signals.add_signal(SIGHUP)?;
    }
    if flags.history.is_some() {
        signals.add_signal(SIGUSR1)?;
    }
    let (site, described) = site::Site::open(&flags, settings.files.clone())?;
    let server = stages::start(settings, site)?;

    let (first, others) = server.local_addrs().split_first().ok_or("no socket is inherited")?;
    let (option, url) = curl(first, is_encrypted(&started));
    match first {
        ListenPlace::Tcp(_) => println!("serving {described} on {url}"),
        place => println!("serving {described} on {place}"),
    }
    for place in others {
        println!("           and on {place}");
    }
    println!("try: curl {option}{url}/");
    println!("     curl {option}'{url}/work?micros=1000'      burns a millisecond of CPU");
    println!("     curl {option}'{url}/sleep?millis=50'       blocks for 50 ms");
    println!("     curl {option}'{url}/page?micros=4000'      rich, or cheap under pressure");
    print_admin(server.admin(), &option, &url);
    println!("Ctrl-C drains and prints a report.");

    for signal in signals.forever() {
        match (signal, &flags.history) {
            (SIGHUP, _) => reload::reload(&flags, &started, &server),
            (SIGUSR1, Some(file)) => history::save(&server, file),
            _ => break,
        }
    }
    if let Some(file) = &flags.history {
        history::save(&server, file);
    }
    eprintln!("draining");
    // The lame-duck time is half of the limit at most.
    let drained = server.drain(DRAIN_LIMIT + 2 * started.http.closing.lame_duck);
    println!("{}", drained.report);
    Ok(())
}

/// Returns true if the first listener has TLS.
fn is_encrypted(_settings: &Settings) -> bool {
    #[cfg(feature = "tls")]
    if let Some(first) = _settings.http.listen.listeners().first() {
        return first.tls.is_some();
    }
    false
}

/// Returns the options and the URL with which curl reaches this place.
fn curl(place: &ListenPlace, is_encrypted: bool) -> (String, String) {
    // A certificate is for a name, and not for this address.
    let (trust, scheme) = if is_encrypted { ("-k ", "https") } else { ("", "http") };
    match place {
        ListenPlace::Unix(file) => {
            (format!("{trust}--unix-socket {} ", file.display()), format!("{scheme}://localhost"))
        }
        place => (trust.to_owned(), format!("{scheme}://{place}")),
    }
}

/// Prints the commands that show report and graph.
fn print_admin(place: &AdminPlace, option: &str, url: &str) {
    let (option, pages) = match place {
        AdminPlace::Path(path) => (option.to_owned(), format!("{url}{path}")),
        AdminPlace::Tcp(address) => (String::new(), format!("http://{address}/_seda")),
        AdminPlace::Unix(file) => {
            (format!("--unix-socket {} ", file.display()), "http://localhost/_seda".to_owned())
        }
        _ => return println!("     (--admin 9090 shows report and graph on a port of their own)"),
    };
    println!("     curl {option}'{pages}/report?format=text'");
    if !option.contains("unix-socket") {
        println!("     {pages}/        the live page, for a browser");
    }
    println!("     curl {option}{pages}/metrics        for Prometheus");
}
