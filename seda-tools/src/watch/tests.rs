//! Tests against real processes. They do not depend on the speed of the machine: they wait for a
//! state, and assert that counts grow.

use super::*;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use rustix::time::{ClockId, clock_gettime};
use seda_core::{Clock, MonotonicClock};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A shell in the role of a server; it and its descendants end with the test.
pub(super) struct Server(Child);

impl Server {
    pub(super) fn run(script: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).stdin(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Self(shell.spawn().unwrap())
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    fn kill(&self) {
        // The processes of the group may have ended.
        let _ = kill_process_group(number(self.pid()), Signal::KILL);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = self.0.wait();
    }
}

fn number(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

fn only_child(pid: u32) -> u32 {
    let children = children::ChildLookup::now().unwrap().children_of(pid).unwrap();
    assert_eq!(children.len(), 1);
    children.into_iter().next().unwrap()
}

/// Takes samples until one is as wanted, and asserts that no count decreases.
fn sample_until(watcher: &mut Watcher, what: &str, wanted: impl Fn(&Sample) -> bool) -> Sample {
    let clock = MonotonicClock::new();
    let mut latest = watcher.sample().unwrap();
    while !wanted(&latest) {
        assert!(clock.now().as_secs_f64() < 60.0, "waited in vain for {what}: {latest:?}");
        thread::park_timeout(Duration::from_millis(5));
        let next = watcher.sample().unwrap();
        assert!(next.cpu_user_seconds >= latest.cpu_user_seconds, "{what}");
        assert!(next.cpu_system_seconds >= latest.cpu_system_seconds, "{what}");
        assert!(next.run_queue_seconds >= latest.run_queue_seconds, "{what}");
        assert!(next.voluntary_switches >= latest.voluntary_switches, "{what}");
        assert!(next.involuntary_switches >= latest.involuntary_switches, "{what}");
        assert!(next.listen_drops >= latest.listen_drops, "{what}");
        latest = next;
    }
    latest
}

#[test]
fn a_busy_loop_uses_more_cpu_than_a_sleeper() {
    let (burner, sleeper) = (Server::run("while :; do :; done"), Server::run("exec sleep 1000"));
    let mut burning = Watcher::open(burner.pid()).unwrap();
    let mut sleeping = Watcher::open(sleeper.pid()).unwrap();
    let before = burning.sample().unwrap();
    let asleep = sample_until(&mut sleeping, "the sleeper to sleep", |now| now.threads == 1);
    let after = sample_until(&mut burning, "the loop to use CPU", |now| {
        now.cpu_seconds() > before.cpu_seconds() + 0.3
    });
    // Any window will do, because the test uses no wall time.
    let burnt = ServerReport::between(&before, &after, 1.0, Peaks::default());
    let slept = ServerReport::between(&asleep, &sleeping.sample().unwrap(), 1.0, Peaks::default());
    assert!(burnt.cpu_seconds > slept.cpu_seconds, "{burnt:?} {slept:?}");
    assert!(burnt.utilization > 0.0 && burnt.cores > 0);
    assert_eq!((burnt.pid, burnt.name.as_str(), burnt.threads_max), (burner.pid(), "sh", 1));
    let MemoryReport { rss_bytes, rss_max_bytes } = burnt.memory;
    assert!(rss_bytes > 0 && rss_max_bytes >= rss_bytes);
    let busiest = burnt.scheduling.busiest.unwrap();
    assert!(busiest.running > 0.0 && busiest.name == "sh", "{busiest:?}");
}

#[test]
fn a_childs_work_counts_while_it_runs_and_after_it_was_waited_for() {
    let server = Server::run("(while :; do :; done) & wait; exec sleep 1000");
    let mut watcher = Watcher::open(server.pid()).unwrap();
    let before = sample_until(&mut watcher, "the child", |now| now.threads == 2);
    let working = sample_until(&mut watcher, "the child's work", |now| {
        now.cpu_seconds() > before.cpu_seconds() + 0.1
    });
    kill_process(number(only_child(server.pid())), Signal::KILL).unwrap();
    let parent = || process::ProcessStat::read(server.pid()).unwrap().unwrap();
    let alone = sample_until(&mut watcher, "the child to be waited for", |now| {
        now.threads == 1 && parent().reaped != process::CpuTicks::default()
    });
    assert!(alone.cpu_seconds() >= working.cpu_seconds());
    // The parent used almost no CPU: the time is that of its child.
    assert!(parent().reaped.user_seconds() > parent().own.user_seconds());
}

#[test]
fn an_orphan_is_followed_and_its_work_stays_when_it_ends() {
    let middle = "while :; do :; done & wait";
    let server = Server::run(&format!("sh -c '{middle}' & wait; exec sleep 1000"));
    let mut watcher = Watcher::open(server.pid()).unwrap();
    sample_until(&mut watcher, "three generations", |now| now.threads == 3);
    let middle = only_child(server.pid());
    let burner = only_child(middle);
    kill_process(number(middle), Signal::KILL).unwrap();
    let orphaned = sample_until(&mut watcher, "the parent's end", |now| now.threads == 2);
    let later = sample_until(&mut watcher, "the orphan's work", |now| {
        now.cpu_seconds() > orphaned.cpu_seconds() + 0.1
    });
    kill_process(number(burner), Signal::KILL).unwrap();
    let alone = sample_until(&mut watcher, "the orphan's end", |now| now.threads == 1);
    assert!(alone.cpu_seconds() >= later.cpu_seconds());
}

#[test]
fn threads_that_ended_are_in_the_cpu_time() {
    let cpu_time = || {
        let used = clock_gettime(ClockId::ThreadCPUTime);
        used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
    };
    let burn = move || {
        let began = cpu_time();
        while cpu_time() < began + 0.1 {}
    };
    let mut watcher = Watcher::open(std::process::id()).unwrap();
    let before = watcher.sample().unwrap();
    for _ in 0..3 {
        thread::Builder::new().name("burner".to_owned()).spawn(burn).unwrap().join().unwrap();
    }
    let after = watcher.sample().unwrap();
    // Ended threads used all 300 ms; two roundings to ticks take far less than 100 ms.
    assert!(after.cpu_seconds() >= before.cpu_seconds() + 0.2, "{before:?} {after:?}");
}

#[test]
fn children_too_short_for_a_sample_are_in_the_cpu_time() {
    let server = Server::run("while :; do sh -c ':'; done");
    let mut watcher = Watcher::open(server.pid()).unwrap();
    let before = watcher.sample().unwrap();
    sample_until(&mut watcher, "CPU time and waits", |now| {
        now.cpu_seconds() > before.cpu_seconds() + 0.3
            && now.voluntary_switches > before.voluntary_switches + 10
    });
}

#[test]
fn a_process_that_ended_is_an_error_even_before_its_parent_noticed() {
    let server = Server::run("exec sleep 1000");
    let mut watcher = Watcher::open(server.pid()).unwrap();
    watcher.sample().unwrap();
    server.kill();
    let clock = MonotonicClock::new();
    let error = loop {
        match watcher.sample() {
            Err(error) => break error,
            Ok(_) => assert!(clock.now().as_secs_f64() < 60.0, "the kill was not noticed"),
        }
    };
    let pid = server.pid();
    assert!(matches!(error, WatchError::Ended { pid: ended, .. } if ended == pid), "{error}");
    assert!(matches!(Watcher::open(pid), Err(WatchError::NoProcess { .. })));
}

#[test]
fn no_such_process_is_an_error_with_a_remedy() {
    // The limit of the kernel for pids is 2^22.
    let error = Watcher::open(4_194_305).unwrap_err();
    assert!(matches!(error, WatchError::NoProcess { pid: 4_194_305 }));
    assert!(error.to_string().starts_with("there is no process 4194305: give the pid"));
}
