//! Threads that drive hosted workers, and sometimes drop one.

use crate::graph::Shape;
use crate::world::World;
use benches::rng::Dice;
use seda_core::{CondvarPark, Running, Turn, Worker};
use std::sync::atomic::Ordering::SeqCst;
use std::thread::Scope;
use std::time::Duration;

/// Gives a thread to each worker that has none.
pub(crate) fn drive<'scope, 'world: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    (world, running, shape): (&'world World, &Running, &Shape),
    dice: &mut Dice,
) {
    let Some(pool) = shape.hosted else { return };
    for worker in running.hosted_workers(pool) {
        let mut dice = Dice(dice.roll());
        world.hosts.live.fetch_add(1, SeqCst);
        scope.spawn(move || {
            if dice.one_in(2) {
                worker.run(CondvarPark::new());
            } else {
                turn(world, worker, &mut dice);
            }
            world.hosts.live.fetch_sub(1, SeqCst);
        });
    }
}

/// Turns a worker until it retires, or is dropped.
fn turn(world: &World, mut worker: Worker, dice: &mut Dice) {
    loop {
        match worker.turn() {
            Turn::Ran(_) => {}
            Turn::Idle(_) => std::thread::park_timeout(Duration::from_micros(200)),
            Turn::Retired => return,
        }
        if dice.one_in(1_000) {
            let steady = world.hosts.steady.lock();
            if !*steady {
                drop(worker);
                return;
            }
        }
    }
}
