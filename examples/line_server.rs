//! A key-value server over TCP, one command a line, on the same reactor as the HTTP server.
//!
//! Type: `cargo run --release --example line_server -- --workers 1..4`, and in another terminal
//!       `printf 'SET a 1\nGET a\nGET b\nDEL a\nGET\n' | nc -N 127.0.0.1 7000`
//! See:  `OK`, `VALUE 1`, `NOT FOUND`, `OK` and `ERROR ...`. An overloaded server answers `BUSY` at
//!       once. After Ctrl-C or SIGTERM all received commands are answered and a report is printed.
//!
//! The stage `store` is keyed: many workers run it, and commands on one key keep their order.

use clap::Parser;
use parking_lot::RwLock;
use seda::http::tcp::{Protocol, Tcp, TcpConfig, Unserved};
use seda::http::{Bytes, BytesMut};
use seda::{Context, Graph, Responder, StageConfig, WorkerRange};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::filter::LevelFilter;

/// The longest line, in bytes.
const LINE: usize = 4 * 1024;

/// A key-value server over TCP, one command a line: SET key value, GET key, DEL key
#[derive(Parser)]
struct Flags {
    #[arg(long, default_value = "127.0.0.1:7000", help = "Address; port 0 picks a free one")]
    listen: SocketAddr,
    #[arg(long, default_value_t = WorkerRange::default(), help = "Workers of the store")]
    workers: WorkerRange,
}

#[derive(Clone, Copy)]
enum Verb {
    Set,
    Get,
    Del,
}

struct Command {
    verb: Verb,
    key: Bytes,
    value: Bytes,
}

fn parse(line: &Bytes) -> Option<Command> {
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let verb = match words.next()? {
        b"SET" => Verb::Set,
        b"GET" => Verb::Get,
        b"DEL" => Verb::Del,
        _ => return None,
    };
    let (key, value) = (words.next()?, words.next());
    let is_whole = !key.is_empty() && value.is_some() == matches!(verb, Verb::Set);
    let [key, value] = [key, value.unwrap_or_default()].map(|word| line.slice_ref(word));
    is_whole.then_some(Command { verb, key, value })
}

enum Answer {
    Ok,
    Value(Bytes),
    NotFound,
    Busy,
    Error(&'static str),
}

#[derive(Clone)]
struct Lines;

impl Protocol for Lines {
    /// An invalid line is a request, too, so that its ERROR keeps its turn among the answers.
    type Request = Option<Command>;
    type Answer = Answer;

    fn decode(&self, input: &mut BytesMut) -> Result<Option<Option<Command>>, Answer> {
        let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        let line = input.split_to(end + 1).freeze();
        let text = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")).unwrap_or(&line);
        if text.len() > LINE {
            return Err(Answer::Error("line too long, or too slow"));
        }
        Ok(Some(parse(&line.slice_ref(text))))
    }

    fn encode(&mut self, answer: Answer, output: &mut BytesMut) {
        let parts: [&[u8]; 2] = match &answer {
            Answer::Ok => [b"OK", b""],
            Answer::Value(value) => [b"VALUE ", value],
            Answer::NotFound => [b"NOT FOUND", b""],
            Answer::Busy => [b"BUSY", b""],
            Answer::Error(message) => [b"ERROR ", message.as_bytes()],
        };
        parts.iter().for_each(|part| output.extend_from_slice(part));
        output.extend_from_slice(b"\n");
    }

    fn refuse(&self, reason: Unserved) -> Answer {
        match reason {
            Unserved::TooLong | Unserved::Overdue => Answer::Error("line too long, or too slow"),
            _ => Answer::Busy,
        }
    }
}

type Call = (Option<Command>, Responder<Answer>);

fn execute(table: &RwLock<HashMap<Bytes, Bytes>>, command: &Command) -> Answer {
    let Command { verb, key, value } = command;
    match verb {
        Verb::Get => table.read().get(key).cloned().map_or(Answer::NotFound, Answer::Value),
        Verb::Del => table.write().remove(key).map_or(Answer::NotFound, |_| Answer::Ok),
        Verb::Set => {
            // Copies, because a slice would keep the whole input buffer alive.
            let [key, value] = [key, value].map(|part| Bytes::copy_from_slice(part));
            table.write().insert(key, value);
            Answer::Ok
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Print the libraries' warnings on stderr: a library installs no subscriber.
    tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(std::io::stderr).init();
    let flags = Flags::parse();
    let mut graph = Graph::new("line_server");
    let mut config = TcpConfig::at(flags.listen);
    config.request_bytes = LINE;
    let mut tcp = Tcp::bind(config, Lines)?;
    let (store, workers) = (graph.stage::<Call>("store", 1_024), Some(flags.workers));
    graph.configure(store, StageConfig { workers, ..StageConfig::default() })?;
    graph.keyed(store, |(command, _)| command.as_ref().map(|command| command.key.clone()))?;
    let table = Arc::new(RwLock::new(HashMap::new()));
    graph.attach_each(store, |_wire| {
        move |(command, reply): Call, _cx: &mut Context| {
            reply.respond(match command {
                None => Answer::Error("write SET key value, GET key or DEL key"),
                Some(command) => execute(&table, &command),
            });
        }
    })?;
    tcp.entry(&mut graph, store, |command, _peer, reply| (command, reply))?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let server = tcp.serve(graph.start()?)?;
    println!("serving on {}", server.local_addr());
    signals.forever().next();
    println!("{}", server.drain(Duration::from_secs(10)).report);
    Ok(())
}
