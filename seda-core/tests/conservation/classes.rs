//! The ledgers per class. Metrics have them; a report has their sums.

use crate::conservation::build::{NAMES, number};
use crate::conservation::check::same;
use crate::conservation::plan::Plan;
use crate::conservation::world::World;
use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use parking_lot::Mutex;
use seda_core::Manual;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Counters by name, stage and class, added up over reasons.
type Seen = Arc<Mutex<BTreeMap<(String, String, String), u64>>>;

struct Recording(Seen);

struct Slot(Seen, (String, String, String));

impl CounterFn for Slot {
    fn increment(&self, value: u64) {
        self.absolute(value);
    }

    fn absolute(&self, value: u64) {
        *self.0.lock().entry(self.1.clone()).or_default() += value;
    }
}

impl Recorder for Recording {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let label = |name: &str| {
            let label = key.labels().find(|label| label.key() == name);
            label.map_or_else(String::new, |label| label.value().to_owned())
        };
        // Replicas count as one stage.
        let stage = number(&label("stage")).map_or("", |stage| NAMES[stage]).to_owned();
        let slot = (key.name().to_owned(), stage, label("class"));
        Counter::from_arc(Arc::new(Slot(Arc::clone(&self.0), slot)))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Ticks once and compares the exported counters with the world's counts.
pub(crate) fn check_classes(manual: &mut Manual, world: &World, plan: &Plan) -> Result<(), String> {
    let seen = Seen::default();
    // A tick sheds expired events, and their owners may send again: not between the two counts.
    manual.tick();
    metrics::with_local_recorder(&Recording(Arc::clone(&seen)), || manual.tick());
    manual.tell_owners();
    let (seen, counts) = (seen.lock(), world.counts.lock());
    let stages = NAMES.iter().take(plan.stages.len());
    for (n, stage) in stages.enumerate() {
        let classes = crate::conservation::build::CLASS_NAMES.iter().take(plan.classes);
        for ((class, _), count) in classes.zip(counts.by_class(n)) {
            let of = |name: &str| {
                let key =
                    (format!("seda_stage_{name}_total"), (*stage).to_owned(), (*class).to_owned());
                seen.get(&key).copied().unwrap_or(0)
            };
            let what = |name: &str| format!("{name} of {class} in {stage}");
            same(&what("accepted"), of("accepted"), count.accepted)?;
            same(&what("refused"), of("refused"), count.refused)?;
            same(&what("handled"), of("handled"), count.handled)?;
            same(&what("failed"), of("failed"), count.failed)?;
            same(&what("shed"), of("shed"), count.lost.values().sum::<u64>() + count.silent)?;
            let ended = of("handled") + of("failed") + of("shed");
            same(&what("alive"), of("accepted") - ended, count.alive)?;
        }
    }
    Ok(())
}
