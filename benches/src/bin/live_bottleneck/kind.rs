//! The kinds of graphs, and the graph of each kind that follows from a seed.

use crate::description::{
    Demand, Description, EdgeSpec, Hold, LockKind, PoolSpec, RemoteSpec, ReplicaSpec, StageSpec,
};
use benches::rng::Rng;
use std::fmt;

/// A kind of graph: its name, what a report may call its bottleneck, and its description.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The kinds of a report's bottleneck that are right.
    pub(crate) answers: &'static [&'static str],
    /// True if the graph needs most of a core, so that no other graph may run beside it.
    pub(crate) is_heavy: bool,
    /// The stage with the largest part in the time that a std lock is held.
    pub(crate) owner: Option<&'static str>,
    describe: fn(&mut Draw) -> Description,
}

impl Kind {
    pub(crate) const ALL: [Kind; 25] = [
        light("line", &["blocked"], line),
        heavy("cpu_second", &["cpu"], cpu_second),
        light("two_full", &["blocked"], two_full),
        light("branch", &["blocked"], branch),
        light("cycle", &["blocked"], cycle),
        light("sleep", &["blocked"], sleep),
        owned("lock", "write", lock),
        owned("lock_victim", "write", lock_victim),
        Kind { is_heavy: true, ..owned("lock_cpu", "write", lock_cpu) },
        light("parking_lot", &["lock", "blocked"], parking_lot),
        light("backpressure", &["blocked", "downstream"], backpressure),
        light("shared_pool", &["pool_limit"], shared_pool),
        light("cap", &["pool_limit"], cap),
        light("skew_key", &["key"], skew_key),
        light("skew_class", &["blocked"], skew_class),
        heavy("bystander", &["blocked"], bystander),
        light("defer", &["outside"], defer),
        light("defer_remote", &["outside"], defer_remote),
        light("slow_replica", &["blocked"], slow_replica),
        heavy("alloc", &["cpu"], alloc),
        heavy("cores", &["cores"], cores),
        heavy("cores_victim", &["cores"], cores_victim),
        light("rate", &["admission"], rate),
        light("budget", &["admission"], budget),
        light("fan_out", &["blocked"], fan_out),
    ];

    /// Returns the graph of this kind that follows from `seed`.
    pub(crate) fn describe(self, seed: u64) -> Description {
        // Each kind has draws of its own, so that `--only` does not change a graph.
        let name = self.name.bytes().fold(seed, |seed, byte| seed * 31 + u64::from(byte));
        (self.describe)(&mut Draw(Rng(name)))
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).finish_non_exhaustive()
    }
}

const fn light(
    name: &'static str,
    answers: &'static [&'static str],
    describe: fn(&mut Draw) -> Description,
) -> Kind {
    Kind { name, answers, is_heavy: false, owner: None, describe }
}

const fn heavy(
    name: &'static str,
    answers: &'static [&'static str],
    describe: fn(&mut Draw) -> Description,
) -> Kind {
    Kind { is_heavy: true, ..light(name, answers, describe) }
}

const fn owned(
    name: &'static str,
    owner: &'static str,
    describe: fn(&mut Draw) -> Description,
) -> Kind {
    Kind { owner: Some(owner), ..light(name, &["lock"], describe) }
}

/// The draws of one description.
struct Draw(Rng);

impl Draw {
    /// Returns a number between the bounds.
    fn from(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.0.below(1_000_001) as f64 / 1e6)
    }

    /// Returns about `middle`: between four fifths and five fourths of it.
    fn about(&mut self, middle: f64) -> f64 {
        middle * self.from(0.8, 1.25)
    }
}

/// A stage with so little work that it never limits.
fn light_stage(name: &'static str) -> StageSpec {
    StageSpec::new(name, 1, Demand::cpu(0.05))
}

fn of(stages: Vec<StageSpec>) -> Description {
    Description { stages, ..Description::default() }
}

/// Returns four stages in a row, one of which needs the most time.
fn line(draw: &mut Draw) -> Description {
    let slowest = draw.0.below(4);
    let most = draw.about(5.5);
    let names = ["accept", "parse", "render", "write"].into_iter().enumerate();
    let stages = names.map(|(n, name)| {
        let sleep = if n == slowest { most } else { most * draw.from(0.2, 0.75) };
        let stage = StageSpec::new(name, 1, Demand::sleep(sleep));
        if n < 3 { stage.to(n + 1) } else { stage }
    });
    of(stages.collect())
}

/// Returns two stages that compute; the second needs more.
fn cpu_second(draw: &mut Draw) -> Description {
    let most = draw.about(1.7);
    let less = most * draw.from(0.15, 0.35);
    let first = StageSpec::new("parse", 1, Demand::cpu(less)).to(1);
    of(vec![first, StageSpec::new("render", 1, Demand::cpu(most))])
}

/// Returns two stages in a row that are both full under overload.
fn two_full(draw: &mut Draw) -> Description {
    let most = draw.about(5.5);
    let less = most * draw.from(0.7, 0.87);
    let first = StageSpec::new("read", 1, Demand::sleep(less)).to(1);
    of(vec![first, StageSpec::new("write", 1, Demand::sleep(most))])
}

/// Returns a fork with a full branch.
fn branch(draw: &mut Draw) -> Description {
    let share = draw.from(0.3, 0.7);
    let most = draw.about(5.5);
    let less = most * draw.from(0.3, 0.75);
    let entry = light_stage("route").also_to(1, share).also_to(2, 1.0 - share);
    let left = StageSpec::new("left", 1, Demand::sleep(most / share)).to(3);
    let right = StageSpec::new("right", 2, Demand::sleep(2.0 * less / (1.0 - share))).to(3);
    of(vec![entry, left, right, light_stage("join")])
}

/// Returns a stage that some events visit again.
fn cycle(draw: &mut Draw) -> Description {
    let again = draw.from(0.25, 0.5);
    let most = draw.about(5.5);
    let entry = StageSpec::new("accept", 1, Demand::sleep(most * draw.from(0.3, 0.75))).to(1);
    let work = StageSpec::new("work", 1, Demand::sleep(most * (1.0 - again))).to(2);
    of(vec![entry, work, light_stage("check").also_to(1, again)])
}

/// Returns a pool that blocks between stages that compute.
fn sleep(draw: &mut Draw) -> Description {
    let workers = draw.0.between(3, 6);
    let call = Demand { cpu: 0.1, ..Demand::sleep(draw.about(5.5) * workers as f64) };
    let stages = vec![
        StageSpec::new("parse", 1, Demand::cpu(draw.about(0.2))).to(1),
        StageSpec::new("call", workers, call).to(2),
        StageSpec::new("format", 1, Demand::cpu(draw.about(0.2))),
    ];
    of(stages)
}

/// Returns two stages that use one lock; the second holds it longer.
fn two_users(draw: &mut Draw, kind: LockKind) -> Description {
    let held = draw.about(5.0);
    let part = draw.from(0.6, 0.8);
    let outside = draw.about(3.0);
    let using = |sleep: f64| Demand {
        hold: Some(Hold { lock: 0, cpu: 0.0, sleep }),
        ..Demand::sleep(outside)
    };
    let read = StageSpec::new("read", 4, using(held * (1.0 - part))).to(1);
    let write = StageSpec::new("write", 4, using(held * part));
    Description { locks: vec![kind], ..of(vec![read, write]) }
}

fn lock(draw: &mut Draw) -> Description {
    two_users(draw, LockKind::Std)
}

fn parking_lot(draw: &mut Draw) -> Description {
    two_users(draw, LockKind::ParkingLot)
}

/// Returns a lock that a few writes hold for long while many reads wait.
fn lock_victim(draw: &mut Draw) -> Description {
    let share = draw.from(0.25, 0.4);
    let held = draw.about(4.5);
    let part = draw.from(0.75, 0.9);
    let hold = |sleep: f64| Some(Hold { lock: 0, cpu: 0.0, sleep });
    let read = Demand { hold: hold(held * (1.0 - part) / (1.0 - share)), ..Demand::cpu(0.05) };
    let write = Demand { hold: hold(held * part / share), ..Demand::cpu(0.05) };
    let entry = light_stage("route").also_to(1, 1.0 - share).also_to(2, share);
    let users = [StageSpec::new("read", 4, read), StageSpec::new("write", 2, write)];
    let stages = [entry].into_iter().chain(users).collect();
    Description { locks: vec![LockKind::Std], ..of(stages) }
}

/// Returns a lock that is held to compute.
fn lock_cpu(draw: &mut Draw) -> Description {
    let held = draw.about(2.0);
    let part = draw.from(0.6, 0.8);
    let using =
        |cpu: f64| Demand { hold: Some(Hold { lock: 0, cpu, sleep: 0.0 }), ..Demand::sleep(1.0) };
    let read = StageSpec::new("read", 4, using(held * (1.0 - part))).to(1);
    let write = StageSpec::new("write", 4, using(held * part));
    Description { locks: vec![LockKind::Std], ..of(vec![read, write]) }
}

/// Returns a slow stage behind an edge that waits.
fn backpressure(draw: &mut Draw) -> Description {
    let most = draw.about(5.5);
    let less = most * draw.from(0.2, 0.7);
    let mut read = StageSpec::new("read", 1, Demand::sleep(less));
    read.edges.push(EdgeSpec { to: 1, probability: 1.0, copies: 1, waits: true });
    let write = StageSpec::new("write", 1, Demand::sleep(most));
    of(vec![read, StageSpec { capacity: 16, ..write }])
}

/// Returns two stages in one pool, neither of which fills it alone.
fn shared_pool(draw: &mut Draw) -> Description {
    let workers = draw.0.between(2, 4);
    let all = draw.about(5.5) * workers as f64;
    let part = draw.from(0.55, 0.7);
    let member =
        |name, sleep| StageSpec { pool: Some(0), ..StageSpec::new(name, 1, Demand::sleep(sleep)) };
    let stages = vec![
        member("parse", all * (1.0 - part)).to(1),
        member("render", all * part).to(2),
        StageSpec::new("write", 1, Demand::sleep(1.0)),
    ];
    let pools = vec![PoolSpec { name: "shared", workers }];
    Description { pools, ..of(stages) }
}

/// Returns a stage that may use one worker of six.
fn cap(draw: &mut Draw) -> Description {
    let most = draw.about(5.5);
    let member =
        |name, sleep| StageSpec { pool: Some(0), ..StageSpec::new(name, 1, Demand::sleep(sleep)) };
    let parse = member("parse", most * draw.from(0.4, 1.5)).to(1);
    let render = StageSpec { cap: Some(1), ..member("render", most) }.to(2);
    let write = StageSpec::new("write", 1, Demand::sleep(1.0));
    let pools = vec![PoolSpec { name: "shared", workers: 6 }];
    Description { pools, ..of(vec![parse, render, write]) }
}

/// Returns a keyed stage with a hot key.
fn skew_key(draw: &mut Draw) -> Description {
    let share = draw.from(0.5, 0.75);
    let most = draw.about(5.5);
    let parse = StageSpec::new("parse", 1, Demand::sleep(most * draw.from(0.2, 0.6))).to(1);
    let apply = StageSpec::new("apply", 4, Demand::sleep(most / share));
    let apply = StageSpec { is_keyed: true, ..apply };
    Description { hot_key: share, ..of(vec![parse, apply]) }
}

/// Returns a stage at which one class needs ten times as much.
fn skew_class(draw: &mut Draw) -> Description {
    let share = draw.from(0.1, 0.2);
    let most = draw.about(5.0);
    let cheap = most / (1.0 - share + 10.0 * share);
    let parse = StageSpec::new("parse", 1, Demand::sleep(most * draw.from(0.3, 0.7))).to(1);
    let demand = Demand { second_class: Some(10.0), ..Demand::sleep(cheap) };
    let work = StageSpec::new("work", 1, demand);
    Description { second_class: share, ..of(vec![parse, work]) }
}

/// Returns a stage beside the path that spins for ever.
fn bystander(draw: &mut Draw) -> Description {
    let most = draw.about(5.5);
    let parse = StageSpec::new("parse", 1, Demand::sleep(most * draw.from(0.2, 0.6))).to(1);
    let query = StageSpec::new("query", 1, Demand::sleep(most));
    let beat = StageSpec::new("beat", 1, Demand::cpu(1.0)).to(2);
    Description { spinner: Some(2), ..of(vec![parse, query, beat]) }
}

/// Returns a stage with few places outside.
fn defer(draw: &mut Draw) -> Description {
    let places = draw.0.between(4, 10);
    let time = draw.about(5.5) * places as f64;
    let remote = RemoteSpec { time, servers: None, outstanding: places, pending: places };
    let ask = StageSpec { remote: Some(remote), ..light_stage("ask") }.to(1);
    of(vec![ask, StageSpec::new("store", 1, Demand::sleep(draw.from(1.0, 3.0)))])
}

/// Returns a stage with a remote side that serves a few requests at once.
fn defer_remote(draw: &mut Draw) -> Description {
    let servers = draw.0.between(2, 6);
    let time = draw.about(5.5) * servers as f64;
    let remote = RemoteSpec { time, servers: Some(servers), outstanding: 16, pending: 64 };
    let ask = StageSpec { remote: Some(remote), ..light_stage("ask") }.to(1);
    of(vec![ask, StageSpec::new("store", 1, Demand::sleep(draw.from(1.0, 3.0)))])
}

/// Returns replicas that take turns; one is slow.
fn slow_replica(draw: &mut Draw) -> Description {
    let count = 3;
    let factor = draw.from(2.0, 3.0);
    let sleep = draw.about(6.0) * count as f64 / factor;
    let parse = StageSpec::new("parse", 1, Demand::sleep(draw.from(1.0, 3.0))).to(1);
    let replicas = ReplicaSpec { count, slow: draw.0.below(count), factor };
    let work = StageSpec::new("work", 1, Demand::sleep(sleep));
    of(vec![parse, StageSpec { replicas: Some(replicas), ..work }])
}

/// Returns a stage that allocates.
fn alloc(draw: &mut Draw) -> Description {
    let most = draw.about(1.7);
    let parse = StageSpec::new("parse", 1, Demand::cpu(most * draw.from(0.1, 0.3))).to(1);
    let build = StageSpec::new("build", 1, Demand { alloc: most, ..Demand::default() }).to(2);
    of(vec![parse, build, StageSpec::new("write", 1, Demand::sleep(most * 0.4))])
}

/// Returns stages with workers enough for more than all cores.
fn cores(draw: &mut Draw) -> Description {
    let cores = available_cores();
    let all = draw.about(2.5) * cores as f64;
    let part = draw.from(0.58, 0.72);
    let parse = StageSpec::new("parse", cores + 1, Demand::cpu(all * (1.0 - part))).to(1);
    of(vec![parse, StageSpec::new("render", cores + 1, Demand::cpu(all * part))])
}

/// Returns a stage with little work whose worker rarely gets a core.
fn cores_victim(draw: &mut Draw) -> Description {
    let cores = available_cores();
    let all = draw.about(2.5) * cores as f64;
    let part = draw.from(0.06, 0.12);
    let meta = StageSpec::new("meta", 1, Demand::cpu(all * part)).to(1);
    of(vec![meta, StageSpec::new("hog", 2 * cores, Demand::cpu(all * (1.0 - part)))])
}

fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Returns a stage with a declared rate.
fn rate(draw: &mut Draw) -> Description {
    let parse = StageSpec::new("parse", 1, Demand::sleep(draw.from(1.0, 3.0))).to(1);
    let mail = StageSpec::new("mail", 1, Demand::sleep(draw.from(1.0, 3.0)));
    of(vec![parse, StageSpec { rate: Some(draw.about(190.0)), ..mail }])
}

/// Returns a graph that may hold fewer events than its workers could handle.
fn budget(draw: &mut Draw) -> Description {
    let (first, second) = (draw.about(20.0), draw.about(50.0));
    let parse = StageSpec::new("parse", 10, Demand::sleep(first)).to(1);
    let call = StageSpec::new("call", 24, Demand::sleep(second));
    Description { budget: Some(draw.0.between(12, 15)), ..of(vec![parse, call]) }
}

/// Returns a stage that gets three events for each request.
fn fan_out(draw: &mut Draw) -> Description {
    let most = draw.about(5.5);
    let mut split = StageSpec::new("split", 1, Demand::sleep(most * draw.from(0.3, 0.7)));
    split.edges.push(EdgeSpec { to: 1, probability: 1.0, copies: 3, waits: false });
    of(vec![split, StageSpec::new("leaf", 1, Demand::sleep(most / 3.0))])
}
