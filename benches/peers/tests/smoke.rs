//! Every contestant starts, gives the same answers as the others, and ends.
//!
//! `cargo test --release` builds the contestants first, then takes some seconds.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use peers::{Contestant, Server, StartError, allowed_cores, answers};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

/// Time limit of every answer, far above the need of a slow machine.
const LIMIT: Duration = Duration::from_secs(60);
/// Those that begin with a low limit and choose another by their measurements.
const ADAPTIVE: [Contestant; 4] = [
    Contestant::AxumBlocking,
    Contestant::AxumResilienceAimd,
    Contestant::AxumResilienceVegas,
    Contestant::AxumAcc,
];

#[test]
fn every_contestant_answers_alike() {
    for contestant in Contestant::all(64) {
        let Some(server) = start(contestant) else { continue };
        assert_eq!(get(&server, "/").ok(), contestant.hello(), "{contestant}");
        if contestant.serves_the_file() {
            assert_eq!(get(&server, "/file8k").ok(), answers::FILE, "{contestant}");
        }
        if contestant.burns() {
            let burned = get(&server, "/work?micros=200");
            assert_eq!(burned.field("content-type"), Some(answers::PLAIN), "{contestant}");
            assert_eq!(burned.ok(), "burned 200 us\n", "{contestant}");
            assert_eq!(get(&server, "/sleep?millis=20").ok(), "slept 20 ms\n", "{contestant}");
            let wrong = get(&server, "/work?micros=long");
            assert_eq!((wrong.status, wrong.body.contains("micros")), (400, true));
        }
        assert_eq!(get(&server, "/nowhere").status, 404, "{contestant}");
    }
}

#[test]
fn a_limit_refuses_some_and_serves_the_others() {
    let limited = Contestant::all(1).into_iter().filter(|contestant| contestant.limit().is_some());
    for contestant in limited {
        let Some(server) = start(contestant) else { continue };
        let answers = get_at_once(&server, "/work?micros=50000", 8);
        let served: Vec<&Answer> = of_status(&answers, 200).collect();
        let refused: Vec<&Answer> = of_status(&answers, 503).collect();
        assert_eq!(served.len() + refused.len(), 8, "{contestant}: {answers:?}");
        assert!(!served.is_empty() && !refused.is_empty(), "{contestant}: {answers:?}");
        assert!(served.iter().all(|answer| answer.body == "burned 50000 us\n"));
        for answer in refused {
            assert_eq!(answer.body, answers::BUSY, "{contestant}");
            // In whole seconds; seda computes them from its drain rate.
            let after = answer.field("retry-after").and_then(|after| after.parse::<u32>().ok());
            assert!(
                after.is_some_and(|after| (1..=60).contains(&after)),
                "{contestant}: {answer:?}"
            );
            assert_eq!(answer.field("content-type"), Some(answers::PLAIN), "{contestant}");
        }
        assert_eq!(get(&server, "/").ok(), contestant.hello(), "{contestant}");
    }
}

#[test]
fn a_contestant_without_a_limit_refuses_no_request() {
    let unlimited = Contestant::all(1).into_iter().filter(|contestant| {
        contestant.limit().is_none() && contestant.burns() && !ADAPTIVE.contains(contestant)
    });
    for contestant in unlimited {
        let Some(server) = start(contestant) else { continue };
        let answers = get_at_once(&server, "/work?micros=5000", 8);
        assert_eq!(of_status(&answers, 200).count(), 8, "{contestant}: {answers:?}");
    }
}

#[test]
fn an_adaptive_limit_is_one_for_all_connections_and_refuses_beyond_it() {
    for contestant in ADAPTIVE {
        let Some(server) = start(contestant) else { continue };
        // Each starts with a limit of 10 or 20, and every request comes on a connection of its own.
        let answers = get_at_once(&server, "/work?micros=100000", 48);
        let served = of_status(&answers, 200).count();
        let refused = of_status(&answers, 503).count();
        assert_eq!(served + refused, 48, "{contestant}: {answers:?}");
        assert!(served > 0 && refused > 0, "{contestant}: {served} served, {refused} refused");
    }
}

#[test]
fn the_refusing_loop_refuses_everything() {
    let Some(server) = start(Contestant::RefusingLoop) else { return };
    let refused = get(&server, "/work?micros=200");
    assert_eq!((refused.status, refused.body.as_str()), (503, answers::BUSY));
    assert_eq!(refused.field("retry-after"), Some(answers::RETRY_AFTER));
}

#[test]
fn a_server_runs_on_its_cores_and_ends_when_it_is_dropped() {
    let core = *allowed_cores().first().expect("a core");
    for contestant in Contestant::all(64) {
        let Some(server) = start(contestant) else { continue };
        let pid = server.pid();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        assert_eq!(cores.map(str::trim), Some(core.to_string().as_str()), "{contestant}");
        drop(server);
        assert!(!fs::exists(format!("/proc/{pid}")).expect("/proc"), "{contestant} still runs");
    }
}

#[test]
fn the_error_of_a_failed_start_names_the_contestant_and_its_cores() {
    build();
    let failed = Contestant::HyperInline.start(&[4_095]).expect_err("no machine has this core");
    assert!(matches!(failed, StartError::Ended { .. }), "{failed}");
    assert!(failed.to_string().contains("hyper-inline on cores [4095]"), "{failed}");
}

#[test]
fn further_flags_reach_the_program_and_an_unknown_one_ends_it() {
    build();
    let core = *allowed_cores().first().expect("a core");
    let known = ["--control", "off"].map(str::to_owned);
    assert!(Contestant::Seda.start_with(&[core], &known).is_ok());
    let unknown = ["--contrl", "off"].map(str::to_owned);
    let failed = Contestant::Seda.start_with(&[core], &unknown);
    assert!(matches!(failed, Err(StartError::Ended { .. })));
}

#[test]
fn a_contestant_parses_from_its_own_name() {
    for contestant in Contestant::all(17) {
        assert_eq!(contestant.to_string().parse(), Ok(contestant));
    }
    assert_eq!("refusing-loop".parse(), Ok(Contestant::RefusingLoop));
    assert_eq!("axum-limit-9".parse(), Ok(Contestant::AxumLimit(9)));
    for wrong in ["axum-limit", "axum-limit-0", "axum-limit-+9", "nginx-64", ""] {
        assert!(wrong.parse::<Contestant>().is_err(), "{wrong}");
    }
}

#[test]
fn a_peer_refuses_flags_without_a_meaning_for_its_kind() {
    for words in [
        ["axum-inline", "--limit", "9"],
        ["hyper-inline", "--threads", "2"],
        ["actix-block", "--blocking-threads", "9"],
    ] {
        let output = peer(&words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(words[1]), "{words:?}: {stderr}");
    }
    // A peer ends when its input does, and this input has no content.
    assert_eq!(peer(&["axum-inline"]).status.code(), Some(0));
}

fn peer(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peer")).args(words).output().expect("it runs")
}

fn build() {
    static BUILT: LazyLock<()> = LazyLock::new(|| peers::build().expect("the contestants build"));
    *BUILT
}

/// Starts the contestant on one core; `None` if it is not installed here.
fn start(contestant: Contestant) -> Option<Server> {
    build();
    let core = *allowed_cores().first().expect("a core");
    match contestant.start(&[core]) {
        Ok(server) => Some(server),
        Err(missing @ StartError::NoNginx) => {
            println!("skipped: {missing}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn ok(self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.body
    }

    fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = fields.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }
}

fn of_status(answers: &[Answer], status: u16) -> impl Iterator<Item = &Answer> {
    answers.iter().filter(move |answer| answer.status == status)
}

fn get(server: &Server, path: &str) -> Answer {
    read(send(server.address(), path))
}

fn get_at_once(server: &Server, path: &str, requests: usize) -> Vec<Answer> {
    let sent: Vec<TcpStream> = (0..requests).map(|_| send(server.address(), path)).collect();
    let readers = sent.into_iter().map(|stream| thread::Builder::new().spawn(|| read(stream)));
    let readers: Vec<_> = readers.collect();
    readers.into_iter().map(|reader| reader.expect("a thread").join().expect("answers")).collect()
}

fn send(server: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    stream
}

/// Reads an answer up to its Content-Length or the end of the connection. The refusing loop never
/// closes one.
fn read(mut stream: TcpStream) -> Answer {
    let (mut bytes, mut part) = (Vec::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut part).expect("it answers");
        bytes.extend_from_slice(part.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(read > 0, "the connection ended before the head: {text}");
            continue;
        };
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.expect("a status");
        let answer = Answer { status, head: head.to_owned(), body: body.to_owned() };
        let length = answer.field("content-length").and_then(|length| length.parse().ok());
        if read == 0 || length == Some(body.len()) {
            return answer;
        }
    }
}
