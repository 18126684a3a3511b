//! The accuracy of the load generator: the waits it measures at a single server with known service
//! times, beside Lindley's recursion on the same arrivals and service times.
//!
//! `cargo bench -p benches --bench lindley` needs two cores: the server runs on the first, the
//! generator on the second. Service times are exponential with a mean of 5 ms, at utilizations of
//! 0.5 and 0.8; 5 rounds of 20 s each. Lindley (1952): W(n+1) = max(0, W(n) + S(n) - A(n)).
//!
//! The generator measures a response: the wait, the service, and the round trip. The round trip is
//! measured alone by requests without a service time, at the same rate.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark ends if its setup fails"
)]

use benches::{Pinned, Rounds, pin};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use seda_core::{Clock, MonotonicClock, Time};
use seda_tools::arrivals::{Arrivals, Process, Profile};
use seda_tools::generator::{self, Retry, Stop};
use seda_tools::plan::{LoadPlan, Pace};
use seda_tools::report::LoadReport;
use seda_tools::workload::Workload;
use seda_tools::{RequestShape, Url};
use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

const SERVICE: f64 = 5e-3;
const UTILIZATIONS: [f64; 2] = [0.5, 0.8];
const SECONDS: u64 = 20;
const ROUNDS: u64 = 5;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn main() {
    println!("utilization, round: mean wait measured and by Lindley, their ratio");
    let mut rounds = Rounds::new(UTILIZATIONS);
    for round in 0..ROUNDS {
        for (case, utilization) in UTILIZATIONS.iter().enumerate() {
            let profile = Profile::constant(utilization / SERVICE, Duration::from_secs(SECONDS));
            let profile = profile.expect("a rate");
            let (idle, _) = one_run(&profile, round, 0.0);
            let (busy, services) = one_run(&profile, round, SERVICE);
            let arrivals: Vec<u64> = Arrivals::drawn(Process::Poisson, &profile, round).collect();
            assert_eq!(services.len(), arrivals.len(), "a request was lost");
            let round_trip = idle.response_seconds.mean.expect("answers");
            let service = services.iter().sum::<u64>() as f64 / services.len() as f64 / 1e9;
            let measured = busy.response_seconds.mean.expect("answers") - service - round_trip;
            let expected = lindley(&arrivals, &services);
            println!(
                "  {utilization} {round}: {:.3} ms, {:.3} ms, {:.4} (round trip {:.3} ms)",
                measured * 1e3,
                expected * 1e3,
                measured / expected,
                round_trip * 1e3
            );
            rounds.add(case, measured / expected);
        }
    }
    println!("measured / Lindley (min, median, max)");
    rounds.print("  utilization ");
}

/// Returns the generator's report, and the service times in nanoseconds in order of arrival.
fn one_run(profile: &Profile, seed: u64, service: f64) -> (LoadReport, Vec<u64>) {
    let (served, services) = channel();
    let life = Arc::new(());
    let address = start_server(service, seed, served, Arc::downgrade(&life));
    assert_eq!(pin(&[1]), Pinned::Yes, "two cores are needed");
    let url: Url = format!("http://{address}/").parse().expect("an address");
    let plan = LoadPlan {
        workload: Workload::single(&RequestShape::new("h"), "GET", "/").expect("a path"),
        pace: Pace::Open { process: Process::Poisson, profile: profile.clone() },
        warm_up: Duration::ZERO,
        cool_down: Duration::ZERO,
        slos: Vec::new(),
        deadline: Duration::from_secs(60),
        retry: Retry::NONE,
        expected: Vec::new(),
        connections: 1_000,
        threads: 1,
        seed,
        bin: None,
        address: address.into(),
        url,
    };
    let report = generator::run(&plan, &Stop::default(), &mut ()).expect("a run").report;
    assert_eq!(report.outcomes.good, report.outcomes.scheduled, "{report}");
    drop(life);
    (report, services.iter().collect())
}

/// Returns the mean wait in seconds.
fn lindley(arrivals: &[u64], services: &[u64]) -> f64 {
    let (mut wait, mut total) = (0_u64, 0_u64);
    for (pair, service) in arrivals.windows(2).zip(services) {
        wait = (wait + service).saturating_sub(pair[1] - pair[0]);
        total += wait;
    }
    total as f64 / arrivals.len() as f64 / 1e9
}

/// Starts a server of one thread that serves requests one at a time, in order of arrival. It sends
/// the service time of each: from the moment it is free until the answer is written. It ends when
/// `life` is dropped.
fn start_server(service: f64, seed: u64, served: Sender<u64>, life: Weak<()>) -> SocketAddr {
    let (bound, address) = channel();
    let serve = move || {
        pin(&[0]);
        Server::new(service, seed, served).serve(&bound, &life);
    };
    thread::Builder::new().name("server".to_owned()).spawn(serve).expect("a thread");
    let address: Receiver<SocketAddr> = address;
    address.recv().expect("the server begins")
}

struct Server {
    poll: Poll,
    clock: MonotonicClock,
    connections: HashMap<Token, TcpStream>,
    waiting: VecDeque<Token>,
    /// Service times in nanoseconds: the gaps between Poisson arrivals of another seed.
    draw: Box<dyn Iterator<Item = u64>>,
    served: Sender<u64>,
}

impl Server {
    fn new(service: f64, seed: u64, served: Sender<u64>) -> Self {
        let draw: Box<dyn Iterator<Item = u64>> = if service > 0.0 {
            let long = Profile::constant(1.0 / service, Duration::from_secs(3_600));
            let mut last = 0;
            let gaps = Arrivals::drawn(Process::Poisson, &long.expect("a rate"), seed + 1_000);
            Box::new(gaps.map(move |at| at - std::mem::replace(&mut last, at)))
        } else {
            Box::new(std::iter::repeat(0))
        };
        Self {
            poll: Poll::new().expect("a poll"),
            clock: MonotonicClock::new(),
            connections: HashMap::new(),
            waiting: VecDeque::new(),
            draw,
            served,
        }
    }

    /// Serves until `life` is dropped.
    fn serve(mut self, bound: &Sender<SocketAddr>, life: &Weak<()>) {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut listener = TcpListener::bind(listen).expect("a port");
        let listening = Token(usize::MAX);
        let registry = self.poll.registry();
        registry.register(&mut listener, listening, Interest::READABLE).expect("registers");
        bound.send(listener.local_addr().expect("bound")).expect("the starting thread waits");
        let mut events = Events::with_capacity(1_024);
        let mut next = 0;
        // The end of the last service, if the server has not polled since.
        let mut ended = None;
        while life.strong_count() > 0 {
            // The server polls all the time, because a wake-up would add to the measured waits.
            if self.poll.poll(&mut events, Some(Duration::ZERO)).is_err() {
                continue;
            }
            let looked = self.clock.now();
            // The kernel lists sockets in the order in which they became ready.
            for event in events.iter() {
                if event.token() == listening {
                    next = self.accept(&listener, next);
                } else {
                    self.receive(event.token());
                }
            }
            // A request that arrived during a service begins at its end. The time to poll in
            // between counts as part of the next service.
            let begun = ended.take().unwrap_or(looked);
            if let Some(token) = self.waiting.pop_front() {
                ended = Some(self.handle(token, begun));
            }
        }
    }

    fn accept(&mut self, listener: &TcpListener, mut next: usize) -> usize {
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_nodelay(true).expect("a socket");
            let token = Token(next);
            self.poll
                .registry()
                .register(&mut stream, token, Interest::READABLE)
                .expect("registers");
            self.connections.insert(token, stream);
            // A request sent before the registration causes no event.
            self.receive(token);
            next += 1;
        }
        next
    }

    fn receive(&mut self, token: Token) {
        let Some(stream) = self.connections.get_mut(&token) else { return };
        let mut request = [0; 1_024];
        match stream.read(&mut request) {
            Ok(0) => drop(self.connections.remove(&token)),
            Ok(_) => self.waiting.push_back(token),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => drop(self.connections.remove(&token)),
        }
    }

    /// Serves one request; returns the end of its service.
    fn handle(&mut self, token: Token, begun: Time) -> Time {
        let service = self.draw.next().expect("an hour of services");
        while self.clock.now().nanos_since(begun) < service {}
        if let Some(stream) = self.connections.get_mut(&token) {
            let _ = stream.write_all(ANSWER);
        }
        let ended = self.clock.now();
        let _ = self.served.send(ended.nanos_since(begun));
        ended
    }
}
