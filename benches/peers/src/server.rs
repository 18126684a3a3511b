//! A running contestant.

use crate::error::StartError;
use crate::launch::{Launch, Listening};
use crate::site::Site;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Time limit of a start. On an idle machine every contestant listens within 100 ms.
const START_LIMIT: Duration = Duration::from_secs(20);
/// Time limit of an end. On SIGTERM nginx does not wait for its clients.
const END_LIMIT: Duration = Duration::from_secs(2);
/// Pause between two looks at a process that sends no event.
const LOOK: Duration = Duration::from_millis(5);

/// A contestant's process, pinned to its cores. Dropping it kills the process and waits for its
/// end.
///
/// If this program is killed first, `peer` ends by itself; `web_server` and nginx keep running.
#[derive(Debug)]
pub struct Server {
    name: String,
    address: SocketAddr,
    child: Child,
    /// The child's child, if that one serves.
    worker: Option<u32>,
    /// Kept open, because the server would fail to write to a closed pipe.
    output: Option<BufReader<ChildStdout>>,
    _site: Option<Site>,
}

impl Server {
    /// Returns its URL, `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the id of the process that serves. Its CPU time is the cost of the requests.
    pub fn pid(&self) -> u32 {
        self.worker.unwrap_or_else(|| self.child.id())
    }

    /// Returns the contestant's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn start(name: String, launch: Launch, cores: &[usize]) -> Result<Self, StartError> {
        let list: Vec<String> = cores.iter().map(usize::to_string).collect();
        let mut command = Command::new("taskset");
        command.args(["-c", &list.join(",")]).arg(&launch.program).args(&launch.arguments);
        // `peer` ends when its input does, which is when this program ends.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(StartError::Taskset)?;
        let output = child.stdout.take().map(BufReader::new);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Self { name, address, child, worker: None, output, _site: launch.site };
        let listens = match launch.listening {
            Listening::Prints => server.await_address(),
            Listening::StartsWorker(address) => server.await_worker(address),
        };
        if listens { Ok(server) } else { Err(server.failure(cores)) }
    }

    /// Reads the line with its address; false if there is none.
    fn await_address(&mut self) -> bool {
        let mut line = String::new();
        if let Some(output) = &mut self.output
            && is_readable(output.get_ref())
        {
            let _ = output.read_line(&mut line);
        }
        let address = line.trim_end().rsplit_once("http://").map(|(_, address)| address.parse());
        let Some(Ok(address)) = address else { return false };
        self.address = address;
        true
    }

    /// Waits for the child's worker process; false if there is none. The child listens before it
    /// starts one, so clients can connect from then on.
    fn await_worker(&mut self, address: SocketAddr) -> bool {
        self.address = address;
        let master = self.child.id();
        let children = format!("/proc/{master}/task/{master}/children");
        self.look_until(START_LIMIT, |server| {
            let ids = fs::read_to_string(&children).unwrap_or_default();
            server.worker = ids.split_ascii_whitespace().next().and_then(|id| id.parse().ok());
            server.worker.is_some() || server.has_ended()
        });
        self.worker.is_some()
    }

    fn failure(mut self, cores: &[usize]) -> StartError {
        let (name, cores) = (self.name.clone(), cores.to_vec());
        // A process without output is about to end.
        self.look_until(END_LIMIT, Self::has_ended);
        match self.child.try_wait() {
            Ok(Some(status)) => StartError::Ended { name, cores, status },
            _ => StartError::Silent { name },
        }
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    #[expect(clippy::disallowed_methods, reason = "another process cannot wake this thread")]
    fn look_until(&mut self, limit: Duration, mut done: impl FnMut(&mut Self) -> bool) {
        for _ in 0..limit.as_micros() / LOOK.as_micros() {
            if done(self) {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL would leave a worker process running, so a server with one gets SIGTERM first.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let (Some(_), Some(pid)) = (self.worker, pid) {
            let _ = kill_process(pid, Signal::TERM);
            self.look_until(END_LIMIT, Self::has_ended);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until there is output, or its end; false after the time limit.
fn is_readable(output: &ChildStdout) -> bool {
    let limit = Timespec { tv_sec: START_LIMIT.as_secs() as i64, tv_nsec: 0 };
    let mut fds = [PollFd::new(output, PollFlags::IN)];
    matches!(retry_on_intr(|| poll(&mut fds, Some(&limit))), Ok(ready) if ready > 0)
}
