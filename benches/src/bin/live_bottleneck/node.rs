//! The handler of every stage.

use crate::description::{Demand, RemoteSpec};
use crate::job::Job;
use crate::remote::Remote;
use crate::work::{Lock, work};
use seda_core::{Context, Handler, Sink, WaitingSink};
use std::sync::Arc;

/// An edge that an event takes with some probability.
#[derive(Clone)]
pub(crate) struct Exit {
    pub(crate) probability: f64,
    pub(crate) copies: usize,
    pub(crate) port: Port,
}

#[derive(Clone)]
pub(crate) enum Port {
    Plain(Sink<Job>),
    Waiting(WaitingSink<Job>),
}

/// A handler that works as its stage's demand says, and sends the event on.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) demand: Demand,
    pub(crate) lock: Option<Arc<Lock>>,
    pub(crate) remote: Option<(RemoteSpec, Remote)>,
    pub(crate) exits: Vec<Exit>,
}

impl Handler<Job> for Node {
    fn handle(&mut self, mut job: Job, cx: &mut Context) {
        let class = if job.is_second_class { self.demand.second_class.unwrap_or(1.0) } else { 1.0 };
        let factor = class * (0.5 + job.draw());
        work(self.demand.times(factor), self.lock.as_deref());
        if let Some((spec, remote)) = &self.remote {
            let time = spec.time * factor;
            return self.defer(job, remote, time, cx);
        }
        for (exit, child) in children(&self.exits, &mut job) {
            // A refused event loses its request.
            match &exit.port {
                Port::Plain(sink) => drop(cx.send(sink, child)),
                Port::Waiting(sink) => drop(cx.send_waiting(sink, child)),
            }
        }
        job.done();
    }
}

impl Node {
    /// Calls the remote service, and sends the event on once it has answered.
    fn defer(&self, mut job: Job, remote: &Remote, time: f64, cx: &mut Context) {
        let Ok(mut pending) = cx.defer() else { return };
        let exits = self.exits.clone();
        remote.call(time, move || {
            for (exit, child) in children(&exits, &mut job) {
                if let Port::Plain(sink) = &exit.port {
                    drop(pending.send(sink, child));
                }
            }
            job.done();
            pending.complete();
        });
    }
}

/// Returns the events that go on for `job`, and the edge that they take.
fn children<'a>(exits: &'a [Exit], job: &mut Job) -> Vec<(&'a Exit, Job)> {
    let mut left = job.draw();
    for exit in exits {
        left -= exit.probability;
        if left < 0.0 {
            return (0..exit.copies).map(|_| (exit, job.child())).collect();
        }
    }
    Vec::new()
}
