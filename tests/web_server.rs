//! The web server example as a user runs it: its flags, its signals, its output.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use support::{Client, example};

/// The limit of a wait: long enough for any machine, so that a server that hangs fails the test.
const LONG: Duration = Duration::from_secs(60);

fn program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| example::build("web_server")).clone()
}

fn run(flags: &[&str]) -> Output {
    Command::new(program()).args(flags).stdin(Stdio::null()).output().expect("it starts")
}

/// Runs the example with flags that it must refuse; returns the one line of its error.
#[track_caller]
fn refused(flags: &[&str]) -> String {
    let output = run(flags);
    let error = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

/// A running example; dropping it kills its process.
struct Example {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    /// The lines of its stderr.
    errors: Receiver<String>,
    address: SocketAddr,
}

impl Example {
    fn start(flags: &[&str]) -> Self {
        let listen = ["--listen", "127.0.0.1:0"];
        let is_told = flags.contains(&"--listen");
        let mut command = Command::new(program());
        command.args(if is_told { &[][..] } else { &listen }).args(flags);
        Self::run(&mut command)
    }

    /// Starts it by this command.
    fn run(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (sender, errors) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let forward = move || stderr.lines().map_while(Result::ok).try_for_each(|l| sender.send(l));
        thread::Builder::new().spawn(forward).expect("a thread");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it prints its address");
        let address = line.trim_end().rsplit_once("://").and_then(|(_, a)| a.parse().ok());
        Self { child, output, errors, address: address.expect("an address") }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for the end; returns the exit code and the rest of the output.
    fn end(mut self) -> (Option<i32>, String) {
        let mut output = String::new();
        self.output.read_to_string(&mut output).expect("text");
        (self.child.wait().expect("it ends").code(), output)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A trace of another server may have lines that no handler can answer with.
#[test]
fn a_trace_line_with_a_status_that_is_no_answer_gets_500_and_an_error() {
    let name = format!("seda-trace-{}.tsv", std::process::id());
    let trace = std::env::temp_dir().join(name);
    let lines = "seconds\tclient\tmethod\tpath\tstatus\tbytes\n\
                 0.0\tc\tGET\t/upgrade\t101\t0\n0.1\tc\tGET\t/same\t304\t180\n";
    std::fs::write(&trace, lines).expect("a trace");
    let example = Example::start(&["--site-from", trace.to_str().expect("text")]);
    let mut client = Client::connect(example.address);
    let paths = ["/upgrade", "/same", "/upgrade"];
    assert_eq!(paths.map(|path| client.ask("GET", path).status), [500, 304, 500]);
    let mut errors = std::iter::from_fn(|| example.errors.recv_timeout(LONG).ok());
    let error = errors.find(|line| line.contains("is replaced by 500"));
    assert!(error.is_some_and(|line| line.contains("101")));
    std::fs::remove_file(trace).expect("it is there");
}

#[test]
fn every_wrong_flag_gives_one_line_that_names_it_and_exit_code_2() {
    assert!(refused(&["--lisen", "x"]).contains("--lisen"));
    assert!(refused(&["--listen", "nowhere"]).contains("--listen"));
    let error = refused(&["--listen", "0", "--listen", "localhost:8080"]);
    assert!(error.contains("`listen` is localhost:8080; allowed: an IP address with a port"));
    assert!(refused(&["--workers", "4..2"]).contains("write MIN..MAX or one number"));
    for (flag, value) in [
        ("--deadline", "soon"),
        ("--deadline", "-1s"),
        ("--slo", "-1s"),
        ("--slo", "NaN"),
        ("--slo", "10"),
    ] {
        let output = refused(&[flag, value]);
        let wrong = format!("`{value}` is not a duration like \"200ms\"");
        assert!(output.contains(flag) && output.contains(&wrong), "{output}");
    }
    assert!(refused(&["--slo", "0s"]).contains("`slo.p99` is 0ns; allowed: 1ms to 10m"));
    for (value, wrong) in [
        ("maybe", "`maybe` is not a control mode: write on, observe or off"),
        ("admission=maybe", "`maybe` is not a control mode: write on, observe or off"),
        (
            "admision=observe",
            "`admision` is not a controller: write one of pool_size, outstanding,",
        ),
        ("=on", "`` is not a controller: write one of"),
    ] {
        let output = refused(&["--control", value]);
        assert!(output.contains("--control") && output.contains(wrong), "{output}");
    }
    let output = refused(&["--law", "p90"]);
    assert!(
        output.contains("--law") && output.contains("write drain_rate, aimd, credits or gradient")
    );
    let missing = refused(&["--root", "/no/such/directory"]);
    assert!(
        missing.contains("--root /no/such/directory") && missing.contains("readable directory")
    );
    assert!(refused(&["--site-from", "/no/such/trace"]).contains("name a file that can be read"));
    assert!(refused(&["--config", "/no/such/file"]).contains("name a readable file"));
}

#[test]
fn the_history_is_written_after_sigusr1_and_at_the_end() {
    let name = format!("seda-history-{}.json", std::process::id());
    let file = std::env::temp_dir().join(name);
    let example = Example::start(&["--history", file.to_str().expect("text")]);
    let mut client = Client::connect(example.address);
    let read = || {
        let text = std::fs::read(&file).ok()?;
        Some(serde_json::from_slice::<seda::history::History>(&text).expect("a history"))
    };
    // Until a second is over.
    while read().is_none_or(|history| history.seconds.is_empty()) {
        assert_eq!(client.ask("GET", "/work?micros=1").status, 200);
        example.signal("-USR1");
        thread::park_timeout(Duration::from_millis(100));
    }
    let first = read().expect("it is there");
    assert!(first.stages.contains(&"work".to_owned()));
    assert_eq!(client.ask("GET", "/work?micros=1").status, 200);
    drop(client);
    example.signal("-TERM");
    let (code, output) = example.end();
    assert_eq!(code, Some(0), "{output}");
    let last = read().expect("it is there");
    assert!(last.seconds.len() >= first.seconds.len());
    assert!(output.contains(&format!("s of history to {}", file.display())), "{output}");
    std::fs::remove_file(&file).expect("it is there");
}

#[test]
fn report_and_graph_are_where_the_flag_says_and_the_printed_commands_show_them() {
    let socket = std::env::temp_dir().join(format!("seda-flag-{}.sock", std::process::id()));
    let unix = format!("unix:{}", socket.display());
    for (flags, shown) in [
        (&[][..], Some("curl 'http://127.0.0.1:")),
        (&["--admin", "/internal/status"], Some("/internal/status/report?format=text'")),
        (&["--admin", "0"], Some("curl 'http://127.0.0.1:")),
        (&["--admin", &unix], Some("curl --unix-socket ")),
        (&["--admin", "off"], None),
        (&["--listen", "0.0.0.0:0"], None),
    ] {
        let mut example = Example::start(flags);
        let mut commands = Vec::new();
        while commands.last().is_none_or(|line: &String| !line.starts_with("Ctrl-C")) {
            let mut line = String::new();
            assert_ne!(example.output.read_line(&mut line).expect("text"), 0);
            commands.push(line);
        }
        let command = commands.iter().find(|line| line.contains("report?format=text"));
        let address = ([127, 0, 0, 1], example.address.port()).into();
        let mut public = Client::connect(address);
        assert_eq!(public.ask("GET", "/readyz").status, 200);
        let is_default = flags.is_empty();
        let status = public.ask("GET", "/_seda/report").status;
        assert_eq!(status, if is_default { 200 } else { 404 }, "{flags:?}");
        match (shown, command) {
            (None, None) => {}
            (Some(shown), Some(command)) => {
                assert!(command.contains(shown), "{command}");
                let shell = Command::new("sh").args(["-c", &format!("{command} -s")]).output();
                let output = String::from_utf8(shell.expect("sh runs").stdout).expect("text");
                assert!(output.starts_with("web_server up "), "{command}: {output}");
            }
            (shown, command) => panic!("{flags:?}: {shown:?}, {command:?}"),
        }
    }
    assert!(refused(&["--admin", "9090x"]).contains("`admin.at` is 9090x; allowed: auto, off, "));
}

#[test]
fn fifty_tenants_by_a_header_are_counted_apart_and_the_report_has_the_heaviest() {
    let server = Example::start(&["--slo", "200ms", "--tenant-header", "X-Account"]);
    let mut client = Client::connect(server.address);
    for account in 0..50 {
        let line = format!("X-Account: account-{account}\r\n");
        for _ in 0..=account / 10 {
            client.send_with("GET", "/work?micros=1", &line);
            assert_eq!(client.read(false).expect("an answer").status, 200);
        }
    }
    let report = client.ask("GET", "/_seda/report?format=text").body;
    let report = String::from_utf8(report).expect("text");
    let heaviest: Vec<_> = report.lines().filter(|line| line.starts_with("tenant ")).collect();
    assert_eq!(heaviest.len(), 5, "{report}");
    assert!(heaviest.iter().all(|line| line.ends_with("0.0 % refused")), "{report}");
}

/// Files that are refused, each with a part of its error.
const BAD_SETTINGS: [(&str, &str); 27] = [
    (
        "[http]\ntrusted_proxies = \"10.0.0.0/8\"\n",
        "line 2: `http.trusted_proxies` is \"10.0.0.0/8\"; allowed: a list of addresses and",
    ),
    (
        "[http]\n[[http.listen]]\nat = \"0\"\nproxy_protocol = [\"10.0.0.1/8\"]\n",
        "line 4: `http.listen[0].proxy_protocol`: `10.0.0.1/8` is no peer: the address has bits",
    ),
    ("[http]\nlisten = true\n", "line 2: `http.listen` is true; allowed: an address like"),
    (
        "[http]\nlisten = \"127.0.0.1:0\"\nlimit = 1\n",
        "line 3: `http.limit`: unknown field `limit`",
    ),
    (
        "[graph]\nbudget = \"many\"\n",
        "line 2: `graph.budget` is \"many\"; allowed: a whole number, neither below 0",
    ),
    ("[graph]\nslo.p99 = nan\n", "line 2: `graph.slo.p99` is nan; allowed: a duration like"),
    (
        "[graph]\nslo.p99 = \"-1s\"\n",
        "line 2: `graph.slo.p99` is \"-1s\"; allowed: a duration like \"200ms\"",
    ),
    (
        "[graph]\nslo.p99 = \"10\"\n",
        "line 2: `graph.slo.p99` is \"10\"; allowed: a duration like \"200ms\"",
    ),
    (
        "[graph]\ncontrol.law = \"p90\"\n",
        "line 2: `graph.control.law` is \"p90\"; allowed: \"drain_rate\", \"aimd\", \"credits\" or",
    ),
    (
        "[graph]\n\n[graph.control]\nqueue_delay = \"maybe\"\n",
        "line 4: `graph.control.queue_delay` is \"maybe\"; allowed: \"on\", \"observe\" or \"off\"",
    ),
    (
        "[graph]\ncontrol.admission = true\n",
        "line 2: `graph.control.admission` is true; allowed: \"on\", \"observe\" or \"off\"",
    ),
    (
        "[graph]\nstages.work.codel.target = 0\n",
        "line 2: `graph.stages.work.codel.target` is 0; allowed: a duration like",
    ),
    (
        "[graph]\nstages.work.codel.target = \"0s\"\n",
        "`stages.work.codel.target` is 0ns; allowed: 1ms to 10m",
    ),
    (
        "[graph]\nstages.work.codel.keep_one_in = 0\n",
        "`stages.work.codel.keep_one_in` is 0; allowed: 2 to 1000000",
    ),
    (
        "[graph]\nstages.work.codel = \"off\"\n",
        "line 2: `graph.stages.work.codel` is \"off\"; allowed: a table like { target",
    ),
    (
        "[graph]\nstages.work.capacity = -1\n",
        "line 2: `graph.stages.work.capacity` is -1; allowed: a whole number, neither below 0",
    ),
    (
        "[graph]\nbudget_bytes = -3\n",
        "line 2: `graph.budget_bytes` is -3; allowed: a size like \"64MiB\"",
    ),
    ("[graph.control]\nhot.least = 6\n", "`control.hot.least` is 6; allowed: 1 to"),
    (
        "[http]\nidle_timeout = 60\n",
        "line 2: `http.idle_timeout` is 60; allowed: a duration like \"200ms\"",
    ),
    ("[http\n", "line 1"),
    ("[files]\nmemory = \"lots\"\n", "line 2: `files.memory` is \"lots\"; allowed: a whole number"),
    ("[files]\nroot = \".\"\n", "line 2: `files.root`: unknown field `root`"),
    ("[files]\nprefix = \"static/\"\n", "[files]: `prefix` is \"static/\"; allowed: nothing, or"),
    ("[http]\nreactors = 0\n", "`reactors` is 0"),
    ("[graph]\nstages.wrok.batch = 1\n", "`stages.wrok` names no stage"),
    ("[graph]\nbudget = 0\n", "`budget` is 0; allowed: 1 or more events"),
    ("[graph.control]\ntick = \"1us\"\n", "`control.tick` is 1µs; allowed: 10ms to 10s"),
];

#[test]
fn a_bad_setting_is_named_with_its_file_line_and_remedy() {
    let file = std::env::temp_dir().join(format!("seda-settings-{}.toml", std::process::id()));
    let path = file.to_str().expect("text");
    for (text, expected) in BAD_SETTINGS {
        std::fs::write(&file, text).expect("a temporary file");
        let output = refused(&["--config", path, "--listen", "127.0.0.1:0"]);
        assert!(output.contains(expected), "{output}");
    }
    std::fs::remove_file(&file).expect("it was there");
}

/// Returns the command that runs the example as a plain parent does that passes a descriptor to it,
/// as number 3. `set` are assignments of the shell.
#[cfg(unix)]
fn passing(descriptor: impl Into<std::os::fd::OwnedFd>, set: &str, flags: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = format!("export {set}; exec \"$0\" \"$@\" 3<&0 </dev/null");
    command.arg("-c").arg(script).arg(program()).args(flags);
    command.stdin(Stdio::from(descriptor.into()));
    command
}

#[cfg(unix)]
#[test]
fn a_socket_of_the_parent_is_served_by_one_process_after_another() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let pass = |set: &str, place: &str| {
        let listener = listener.try_clone().expect("a descriptor");
        Example::run(&mut passing(listener, set, &["--listen", place]))
    };
    for (set, place) in [
        ("LISTEN_FDS=1 LISTEN_PID=$$", "inherited"),
        ("LISTEN_FDS=1", "inherited"),
        ("LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=web", "inherited:web"),
    ] {
        // The clients connect before the process runs.
        let address = listener.local_addr().expect("bound");
        let mut clients: Vec<_> = (0..5).map(|_| Client::connect(address)).collect();
        let example = pass(set, place);
        assert_eq!(example.address, address);
        for client in &mut clients {
            assert_eq!(client.ask("GET", "/work?micros=1").status, 200);
        }
        drop(clients);
        example.signal("-TERM");
        assert_eq!(example.end().0, Some(0));
    }
}

#[cfg(unix)]
#[test]
fn a_descriptor_of_the_parent_that_is_no_listener_is_named() {
    let refused = |descriptor: std::os::fd::OwnedFd, set: &str, place: &str| {
        let output = passing(descriptor, set, &["--listen", place]).output().expect("sh runs");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).expect("text")
    };
    let listener = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let file = std::fs::File::open("/dev/null").expect("a file");
    let error = refused(file.into(), "LISTEN_FDS=1", "inherited");
    assert!(error.contains("socket 0 of LISTEN_FDS: fd 3 is not a socket"), "{error}");
    let datagram = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let error = refused(datagram.into(), "LISTEN_FDS=1", "inherited");
    assert!(error.contains("socket 0 of LISTEN_FDS: "), "{error}");
    let server = listener();
    let address = server.local_addr().expect("bound");
    let connected = std::net::TcpStream::connect(address).expect("it listens");
    let error = refused(connected.into(), "LISTEN_FDS=1", "inherited");
    assert!(error.contains("it is a socket that does not listen"), "{error}");
    // The descriptors are another process's, or have other names.
    let error = refused(listener().into(), "LISTEN_FDS=1 LISTEN_PID=1", "inherited");
    assert!(error.contains("LISTEN_PID, if set, is the id of this process"), "{error}");
    let error = refused(listener().into(), "LISTEN_FDS=1 LISTEN_FDNAMES=api", "inherited:web");
    assert!(error.contains("`listen` = inherited:web") && error.contains("has api"), "{error}");
}

#[test]
fn repeated_flags_are_several_listeners_and_the_printed_commands_reach_the_first() {
    let socket = std::env::temp_dir().join(format!("seda-listen-{}.sock", std::process::id()));
    let unix = format!("unix:{}", socket.display());
    let mut example = Example::start(&["--listen", "127.0.0.1:0", "--listen", &unix]);
    let mut line = String::new();
    example.output.read_line(&mut line).expect("text");
    assert_eq!(line.trim(), format!("and on {unix}"));
    assert_eq!(Client::connect(example.address).ask("GET", "/").status, 200);
    let path = socket.to_str().expect("text");
    let mut curl = Command::new("curl");
    curl.args(["-s", "--unix-socket", path, "http://localhost/readyz"]);
    assert_eq!(curl.output().expect("curl runs").stdout, b"ready\n");
    example.signal("-TERM");
    assert_eq!(example.end().0, Some(0));
    assert!(!socket.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn the_service_manager_is_told_of_the_start_of_each_second_and_of_the_end() {
    use std::os::unix::net::UnixDatagram;
    let socket = std::env::temp_dir().join(format!("seda-notify-{}.sock", std::process::id()));
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    manager.set_read_timeout(Some(LONG)).expect("a time limit");
    let message = || {
        let mut bytes = [0; 64];
        let length = manager.recv(&mut bytes).expect("a message");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let mut command = Command::new(program());
    command.args(["--listen", "127.0.0.1:0"]).env("NOTIFY_SOCKET", &socket);
    let example = Example::run(command.env("WATCHDOG_USEC", "30000000"));
    assert_eq!(message(), "READY=1");
    assert_eq!(message(), "WATCHDOG=1");
    // The second one says that the reactors have answered the first.
    assert_eq!(message(), "WATCHDOG=1");
    example.signal("-TERM");
    let end = std::iter::repeat_with(message).find(|message| message != "WATCHDOG=1");
    assert_eq!(end.as_deref(), Some("STOPPING=1"));
    assert_eq!(example.end().0, Some(0));
    std::fs::remove_file(socket).expect("it was there");
}

#[test]
fn a_busy_port_is_named_with_a_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let output = refused(&["--listen", &address]);
    assert!(output.contains(&address) && output.contains("choose another port"), "{output}");
}

#[test]
fn the_demo_answers_and_its_admin_view_is_outside_the_graph() {
    let example = Example::start(&[]);
    let mut client = Client::connect(example.address);
    let mut status = |method: &str, target: &str| client.ask(method, target).status;
    assert_eq!(status("GET", "/"), 200);
    assert_eq!(status("HEAD", "/"), 200);
    assert_eq!(status("GET", "/work?micros=10"), 200);
    assert_eq!(status("GET", "/sleep?millis=1"), 200);
    assert_eq!(status("GET", "/work?micros=x"), 400);
    assert_eq!(status("GET", "/work?micros=99999999"), 400);
    assert_eq!(status("GET", "/nowhere"), 404);
    assert_eq!(status("DELETE", "/"), 405);
    for admin in ["live", "ready", "graph", "report?format=text"] {
        assert_eq!(status("GET", &format!("/_seda/{admin}")), 200);
    }
    example.signal("-TERM");
    let (code, output) = example.end();
    assert_eq!(code, Some(0));
    // Five requests went through the graph. The table of routes answered three, and requests for
    // the admin view are outside of it, too.
    assert!(output.contains("requests 5 admitted, 5 answered, 0 lost, 0 open"), "{output}");
}

#[test]
fn a_path_cannot_leave_the_served_directory() {
    let root = std::env::temp_dir().join(format!("seda-root-{}", std::process::id()));
    let inner = root.join("inner");
    std::fs::create_dir_all(&inner).expect("a temporary directory");
    std::fs::write(root.join("secret"), "no").expect("a file");
    std::fs::write(inner.join("a b.txt"), "yes").expect("a file");
    std::os::unix::fs::symlink(root.join("secret"), inner.join("link")).expect("a link");
    let example = Example::start(&["--root", inner.to_str().expect("text")]);
    let mut client = Client::connect(example.address);
    let found = client.ask("GET", "/a%20b.txt");
    assert_eq!((found.status, found.body.as_slice()), (200, &b"yes"[..]));
    for outside in ["/../secret", "/%2e%2e/secret", "/link", "//etc/passwd", "/%00", "/"] {
        assert_eq!(client.ask("GET", outside).status, 404, "{outside}");
    }
    std::fs::write(inner.join(".env"), "secret").expect("a file");
    assert_eq!(client.ask("GET", "/.env").status, 404);
    std::fs::create_dir(inner.join("dir")).expect("a directory");
    assert_eq!(client.ask("GET", "/dir").status, 301);
    drop(client);
    drop(example);
    std::fs::remove_dir_all(&root).expect("it was there");
}

#[test]
fn every_received_request_is_answered_after_sigterm_under_load() {
    let example = Example::start(&["--workers", "2..4"]);
    let (address, answers) = (example.address, AtomicU64::new(0));
    thread::scope(|scope| {
        for client in 0..32 {
            let answers = &answers;
            scope.spawn(move || {
                let mut connection = Client::connect(address);
                let target = if client % 4 == 0 { "/sleep?millis=3" } else { "/work?micros=300" };
                loop {
                    connection.send("GET", target);
                    // The connection ended instead: the server had not received the request.
                    let Some(answer) = connection.read(false) else { return };
                    assert_eq!(answer.status, 200);
                    answers.fetch_add(1, Ordering::SeqCst);
                    if answer.closes {
                        return;
                    }
                }
            });
        }
        while answers.load(Ordering::SeqCst) < 500 {
            thread::yield_now();
        }
        example.signal("-TERM");
    });
    let (code, output) = example.end();
    let n = answers.load(Ordering::SeqCst);
    assert_eq!(code, Some(0));
    let ledger = format!("requests {n} admitted, {n} answered, 0 lost, 0 open");
    assert!(output.contains(&ledger), "the clients got {n} answers\n{output}");
}

#[test]
fn one_controller_can_be_set_beside_the_others_in_the_order_of_the_flags() {
    let file = std::env::temp_dir().join(format!("seda-control-{}.toml", std::process::id()));
    std::fs::write(&file, "").expect("a temporary file");
    let config = ["--config", file.to_str().expect("text"), "--law", "aimd"];
    let control = ["--control", "off", "--control", "queue_delay=observe", "--control", "valve=on"];
    let example = Example::start(&[&config[..], &control].concat());
    // Flags override the file, so only its other keys change.
    let text = "[graph.control]\nvalve = \"off\"\nlaw = \"credits\"\nidle_after = \"9s\"\n";
    std::fs::write(&file, text).expect("a temporary file");
    example.signal("-HUP");
    let mut client = Client::connect(example.address);
    while journaled(&report(&mut client)) == 0 {
        let _ = example.errors.recv_timeout(Duration::from_millis(1));
    }
    example.signal("-TERM");
    let (code, output) = example.end();
    assert_eq!(code, Some(0));
    let changes: Vec<&str> = output.lines().filter(|line| line.starts_with("set `")).collect();
    assert_eq!(changes, ["set `control.idle_after`: 5s → 9s"]);
    std::fs::remove_file(&file).expect("it was there");
}

#[test]
fn an_slo_that_no_setting_can_meet_is_reported_on_stderr() {
    let example = Example::start(&["--slo", "5ms"]);
    let mut client = Client::connect(example.address);
    // The service alone takes four times the SLO, on any machine.
    let output = (0..200).find_map(|_| {
        client.ask("GET", "/work?micros=20000");
        example.errors.try_iter().find(|line| line.contains("no setting can meet the SLO"))
    });
    let output = output.expect("a warning");
    assert!(output.contains("WARN") && output.contains("is 5ms"), "{output}");
}

/// Returns the report in JSON, without blanks.
fn report(client: &mut Client) -> String {
    let answer = client.ask("GET", "/_seda/report");
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body).expect("text").split_whitespace().collect()
}

/// Returns the part of a report about one stage.
fn stage<'a>(report: &'a str, name: &str) -> &'a str {
    let begin = report.find(&format!("{{\"name\":\"{name}\"")).expect("the stage");
    let rest = &report[begin..];
    &rest[..rest.find("\"arrivals_per_second\"").expect("its figures")]
}

/// Returns the number of changes of settings in the journal of a report.
fn journaled(report: &str) -> usize {
    report.matches("\"controller\":\"settings\"").count()
}

#[test]
fn sighup_applies_the_whole_file_or_nothing_and_flags_override_it() {
    let file = std::env::temp_dir().join(format!("seda-reload-{}.toml", std::process::id()));
    let write = |text: &str| std::fs::write(&file, text).expect("a temporary file");
    write("[graph]\nstages.work.capacity = 64\nbudget = 100\n");
    let config = ["--config", file.to_str().expect("text"), "--workers", "1..2"];
    let example = Example::start(&config);
    let mut client = Client::connect(example.address);
    let before = report(&mut client);
    assert!(before.contains("\"limit\":100"), "{before}");
    assert!(stage(&before, "work").contains("\"capacity\":64"), "{before}");

    // Files that are refused: an invalid last key, invalid syntax, the http section, a fixed
    // setting.
    let bad = [
        (
            "[graph]\nbudget = 50\nstages.work.capacity = 32\nstages.work.batch = 0\n",
            "`stages.work.batch` is 0; allowed: 1 to 4096 events",
        ),
        ("[graph]\nbudget = \"few\"\n", "line 2: `graph.budget` is \"few\"; allowed:"),
        ("[graph]\nbudget = 50\n[http]\nreactors = 0\n", "`reactors` is 0"),
        ("[graph]\nbudget = 50\npools.reactor.workers = 2\n", "cannot become 2..2"),
    ];
    for (text, expected) in bad {
        write(text);
        example.signal("-HUP");
        let output = example.errors.recv_timeout(LONG).expect("an error");
        assert!(
            output.contains(expected) && output.ends_with("; the old settings stay"),
            "{output}"
        );
        let now = report(&mut client);
        assert!(now.contains("\"limit\":100"), "{now}");
        assert_eq!(stage(&now, "work"), stage(&before, "work"));
        assert_eq!(journaled(&now), 0);
    }

    write(
        "[graph]\nstages.work.capacity = 128\nstages.work.workers = \"3..4\"\n\
         stages.sleep.soft = 8\n[http]\ndeadline = \"9s\"\nlisten = \"127.0.0.1:1\"\n",
    );
    example.signal("-HUP");
    let mut now = report(&mut client);
    for _ in 0..60_000 {
        if journaled(&now) > 0 {
            break;
        }
        let _ = example.errors.recv_timeout(Duration::from_millis(1));
        now = report(&mut client);
    }
    let work = stage(&now, "work");
    assert!(work.contains("\"soft\":128,\"capacity\":128"), "{now}");
    assert!(work.contains("\"min\":1,\"max\":2"), "the flag overrides the file: {now}");
    assert!(stage(&now, "sleep").contains("\"soft\":8,\"capacity\":1024"), "{now}");
    // The file has no budget any more, so the default holds: here the largest capacity, which is
    // more than half of all.
    assert!(now.contains("\"limit\":4096"), "{now}");
    assert_eq!(journaled(&now), 3);

    assert_eq!(client.ask("GET", "/work?micros=10").status, 200);
    example.signal("-TERM");
    let (code, output) = example.end();
    assert_eq!(code, Some(0));
    for line in [
        "set `budget`: 100 → 4096",
        "set `stages.work.capacity`: 64 → 128",
        "set `stages.sleep.soft`: the capacity → 8",
        // A flag sets the address, so the file has no effect on it.
        "restart for what differs in [http], which stays as it was: deadline",
    ] {
        assert!(output.lines().any(|found| found == line), "{line}\n{output}");
    }
    assert_eq!(output.lines().filter(|line| line.starts_with("set `")).count(), 3, "{output}");
    std::fs::remove_file(&file).expect("it was there");
}

/// Settings come first: a certificate is replaced only if they are taken.
#[cfg(feature = "tls")]
#[test]
fn sighup_leaves_the_certificates_alone_if_settings_are_refused_and_names_what_stays() {
    let folder = std::env::temp_dir().join(format!("seda-reload-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary directory");
    let [chain, key, file] = ["chain", "key", "settings.toml"].map(|name| folder.join(name));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&chain, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let write = |graph: &str| {
        let text = format!(
            "[http.listen]\nat = \"127.0.0.1:0\"\n\
             tls.certificates = [{{ chain = {chain:?}, key = {key:?} }}]\n[graph]\n{graph}"
        );
        std::fs::write(&file, text).expect("a file");
    };
    write("budget = 100\n");
    let mut command = Command::new(program());
    let example = Example::run(command.args(["--config", file.to_str().expect("text")]));
    let error = || {
        example.signal("-HUP");
        example.errors.recv_timeout(LONG).expect("an error")
    };
    // The certificates are not looked at, since the settings are refused.
    std::fs::remove_file(&key).expect("it was there");
    write("budget = 50\npools.reactor.workers = 2\n");
    let refused = error();
    assert!(refused.contains("cannot become 2..2"), "{refused}");
    assert!(refused.ends_with("; the old settings stay"), "{refused}");
    // The settings are applied, and the certificates are not.
    write("budget = 50\n");
    let unread = error();
    assert!(unread.contains(&format!("cannot read `key` = {}", key.display())), "{unread}");
    assert!(unread.ends_with("; the old certificates stay"), "{unread}");
    example.signal("-TERM");
    let (code, output) = example.end();
    assert_eq!(code, Some(0));
    assert!(output.lines().any(|line| line == "set `budget`: 100 → 50"), "{output}");
    std::fs::remove_dir_all(&folder).expect("it was there");
}
