//! Every contestant starts, answers what the others answer, and ends.
//!
//! `cargo test --release`: builds the contestants first, then takes some seconds.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use peers::{Contestant, Server, StartError, allowed_cores, answers};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

/// Of every wait for an answer: far beyond what a slow machine needs.
const LIMIT: Duration = Duration::from_secs(60);

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
            assert_eq!((wrong.status, wrong.body.contains("say ?micros=N")), (400, true));
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
            // Seconds; seda says how many by what it drains.
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
fn what_has_no_limit_refuses_nobody() {
    let unlimited = Contestant::all(1)
        .into_iter()
        .filter(|contestant| contestant.limit().is_none() && contestant.burns());
    for contestant in unlimited {
        let Some(server) = start(contestant) else { continue };
        let answers = get_at_once(&server, "/work?micros=5000", 8);
        assert_eq!(of_status(&answers, 200).count(), 8, "{contestant}: {answers:?}");
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
fn a_server_has_its_cores_and_ends_when_it_is_dropped() {
    let core = *allowed_cores().first().expect("a core");
    for contestant in Contestant::all(64) {
        let Some(server) = start(contestant) else { continue };
        let pid = server.pid();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        assert_eq!(cores.map(str::trim), Some(core.to_string().as_str()), "{contestant}");
        drop(server);
        assert!(!fs::exists(format!("/proc/{pid}")).expect("/proc"), "{contestant} runs still");
    }
}

#[test]
fn a_start_that_fails_says_why() {
    build();
    let failed = Contestant::HyperInline.start(&[4_095]).expect_err("no machine has this core");
    assert!(matches!(failed, StartError::Ended { .. }), "{failed}");
    assert!(failed.to_string().contains("hyper-inline on cores [4095]"), "{failed}");
}

#[test]
fn further_flags_reach_the_program_and_a_wrong_one_ends_it() {
    build();
    let core = *allowed_cores().first().expect("a core");
    let start = |words: [&str; 2]| Contestant::Seda.start_with(&[core], &words.map(str::to_owned));
    assert!(start(["--control", "off"]).is_ok());
    assert!(matches!(start(["--contrl", "off"]), Err(StartError::Ended { .. })));
}

#[test]
fn a_name_names_one_contestant() {
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
fn a_peer_refuses_flags_that_mean_nothing_to_it() {
    let peer = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_peer")).args(words).output().expect("runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for words in [
        ["axum-inline", "--limit", "9"],
        ["hyper-inline", "--threads", "2"],
        ["actix-block", "--blocking-threads", "9"],
    ] {
        let (code, said) = peer(&words);
        assert_eq!(code, Some(2), "{words:?}");
        assert!(said.contains(words[1]), "{words:?}: {said}");
    }
    // Its input has ended before it starts.
    assert_eq!(peer(&["axum-inline"]).0, Some(0));
}

fn build() {
    static BUILT: LazyLock<()> = LazyLock::new(|| peers::build().expect("the contestants build"));
    *BUILT
}

/// The contestant on one core; none if it is not installed here.
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
    read(ask(server.address(), path))
}

fn get_at_once(server: &Server, path: &str, requests: usize) -> Vec<Answer> {
    let asked: Vec<TcpStream> = (0..requests).map(|_| ask(server.address(), path)).collect();
    let readers = asked.into_iter().map(|stream| thread::Builder::new().spawn(|| read(stream)));
    let readers: Vec<_> = readers.collect();
    readers.into_iter().map(|reader| reader.expect("a thread").join().expect("answers")).collect()
}

fn ask(server: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    stream
}

/// To the end, or as much as its length says: a loop that only refuses closes nothing.
fn read(mut stream: TcpStream) -> Answer {
    let (mut bytes, mut part) = (Vec::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut part).expect("it answers");
        bytes.extend_from_slice(part.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n").filter(|_| !bytes.is_empty()) else {
            assert!(read > 0, "it ended without a head: {text}");
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
