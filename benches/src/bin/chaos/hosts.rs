//! Threads that drive hosted workers and now and then drop one.

use crate::graph::Shape;
use crate::world::World;
use benches::rng::Rng;
use seda_core::{CondvarPark, Running, Turn, Worker};
use std::sync::atomic::Ordering::SeqCst;
use std::thread::Scope;
use std::time::Duration;

/// Starts a thread for each hosted worker without one.
pub(crate) fn drive<'scope, 'world: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    (world, running, shape): (&'world World, &Running, &Shape),
    rng: &mut Rng,
) {
    let Some(pool) = shape.hosted else { return };
    for worker in running.hosted_workers(pool) {
        let mut rng = Rng(rng.next_u64());
        world.hosts.live.fetch_add(1, SeqCst);
        scope.spawn(move || {
            if rng.one_in(2) {
                worker.run(CondvarPark::new());
            } else {
                turn(world, worker, &mut rng);
            }
            world.hosts.live.fetch_sub(1, SeqCst);
        });
    }
}

/// Turns a worker until it retires or is dropped.
fn turn(world: &World, mut worker: Worker, rng: &mut Rng) {
    loop {
        match worker.turn() {
            Turn::Ran(_) => {}
            Turn::Idle(_) => std::thread::park_timeout(Duration::from_micros(200)),
            Turn::Retired => return,
        }
        if rng.one_in(1_000) {
            let steady = world.hosts.steady.lock();
            if !*steady {
                drop(worker);
                return;
            }
        }
    }
}
