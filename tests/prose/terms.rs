//! Names that are not used any more, each with the term of the field that replaces it.

use std::collections::BTreeMap;

use crate::tokens::Source;

/// A name, whole and in its case, and the name to write instead. A `*` at its end stands for any
/// rest. Words that have a plain meaning elsewhere are not listed: `rest`, `room`, `way`.
pub(crate) type Term = (&'static str, &'static str);

/// The places that a fault names for one identifier.
const PLACES: usize = 5;

pub(crate) const BANNED: &[Term] = &[
    // Statistics.
    ("is_far", "is_outlier"),
    ("are_far", "are_outliers"),
    ("wary", "cautious"),
    ("few_fit", "coarse"),
    ("SMOOTHED_OVER", "EWMA_SAMPLES"),
    // SLO.
    ("promise", "slo"),
    ("promised", "slo"),
    ("promises", "slos"),
    ("Promise", "SloCheck"),
    ("judge_promises", "check_slos"),
    ("prospect*", "feasibility"),
    ("Prospect*", "Feasibility"),
    ("outlook*", "verdict"),
    ("Outlook*", "SloVerdict"),
    ("hopeless", "infeasible"),
    // Entry gates.
    ("Passage", "GateCharge"),
    ("Shut", "GateClosed"),
    ("Allowance*", "ClassLimiter"),
    ("allowance*", "class_limits"),
    ("price_service", "cost_of_service"),
    ("tell_demand", "report_demand"),
    // Events and requests.
    ("RequestBook", "RequestLedger"),
    ("Ticket", "ResponseReceiver"),
    ("losing", "with_loss_reason"),
    ("reason_in_scope", "current_loss_reason"),
    ("GivenUp", "Shed"),
    ("give_up_*", "shed"),
    // Queues.
    ("Entrance", "EntryLimits"),
    ("entrance*", "entry_limits, or accept in seda-http"),
    ("turn_back", "refund"),
    ("Standing*", "Aqm"),
    ("standing", "aqm"),
    ("Stood", "AqmState"),
    ("stood", "waited"),
    ("turns_around", "switches_to_lifo"),
    ("Slough", "ServerCodel"),
    ("Spaced", "Rfc8289"),
    // Pools.
    ("headcount*", "worker_count"),
    ("Headcount*", "WorkerCount"),
    ("hire", "add_worker"),
    ("write_off*", "mark_stuck"),
    ("enrol*", "track"),
    ("dismiss*", "forget"),
    ("StageShare", "StageSlots"),
    ("stage_share", "stage_slots"),
    ("WorkerBook", "WorkerStats"),
    ("glance", "poll"),
    ("call_again", "epoch"),
    ("Finishing", "FinishBarrier"),
    // Stages.
    ("Questions", "Extractors"),
    ("ask_shard", "set_shard"),
    ("ask_bytes", "set_bytes"),
    ("AskedTwice", "ExtractorSetTwice"),
    ("checking_in", "charge"),
    ("check_in", "charge"),
    ("check_out", "refund"),
    ("sending_later", "delayed"),
    ("disposal*", "loss_notifier"),
    ("Disposal*", "LossNotifier"),
    ("farewell*", "notice, or shutdown in seda-http"),
    ("Farewell*", "LossNotice"),
    ("say_farewell", "notify"),
    ("hand_over", "deliver"),
    ("make_way*", "preempt"),
    ("makes_way", "preempts"),
    ("may_make_way", "may_preempt"),
    ("give_way*", "evict_for"),
    ("gives_way", "is_preemptible"),
    ("note_way", "log_preemption"),
    ("Victims", "VictimFilter"),
    ("Scarce", "Resource"),
    ("Noted", "EvictionSummary"),
    ("let_go", "release"),
    ("Aside", "Detached"),
    ("Ways", "ReplicaSet"),
    ("Chooser", "Balancer"),
    ("chooser", "balancer"),
    ("is_its_own", "is_per_replica"),
    ("GraphCore", "GraphShared"),
    // The control plane.
    ("EnginePool", "RunningPool"),
    ("sight*", "observation"),
    ("StageSight", "StageObservation"),
    ("share_out", "max_min_fair"),
    ("Wish", "SizeDecision, or SnapshotRequest"),
    ("say_what_is_new", "journal_gates"),
    ("gate_news", "gate_change"),
    ("tell_of_standing_queues", "journal_aqm"),
    ("flag_hot_pools", "journal_hotspots"),
    ("misuse", "compile_fail"),
    // HTTP.
    ("doze", "unparker"),
    ("Doze", "Unparker"),
    ("rouse", "wake_if_asleep"),
    ("Letter", "ReactorMessage"),
    ("berth*", "parts"),
    ("Berth*", "ReactorParts"),
    ("harbour*", "listener"),
    ("Harbour*", "ListenerConfig"),
    ("fleet*", "reactor_group"),
    ("Fleet*", "ReactorGroup"),
    ("seat", "park"),
    ("Seat", "ReactorPark"),
    ("newcomer*", "accepted"),
    ("Newcomer*", "Accepted"),
    ("Presence", "ConnectionGuard"),
    ("gathering", "coalescing"),
    ("Gathering", "WakeupCoalescer"),
    ("patience", "timeouts"),
    ("Patience", "Timeout"),
    ("swept", "last_sweep"),
    ("Owed", "Expecting"),
    // Random numbers.
    ("dice", "rng"),
    ("Dice", "Rng"),
];

/// Returns a fault for each banned identifier, with its first places.
pub(crate) fn banned(sources: &[Source], terms: &[Term]) -> Vec<String> {
    let whole: BTreeMap<_, _> = terms.iter().copied().collect();
    let families: Vec<_> = terms
        .iter()
        .filter_map(|(banned, instead)| Some((banned.strip_suffix('*')?, *instead)))
        .collect();
    let mut found: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for source in sources {
        for (line, name) in &source.identifiers {
            let family = families.iter().find(|(beginning, _)| name.starts_with(beginning));
            let instead = whole.get(name.as_str()).or(family.map(|(_, instead)| instead));
            if let Some(instead) = instead {
                found.entry((name, instead)).or_default().push(format!("{}:{line}", source.path));
            }
        }
    }
    let faults = found.into_iter().map(|((name, instead), places)| {
        let first = places.get(..PLACES).unwrap_or(&places).join(", ");
        format!("`{name}`: write `{instead}`; {} times: {first}", places.len())
    });
    faults.collect()
}
