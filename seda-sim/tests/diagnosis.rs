//! Generated graphs: intervention shows what each kind is about, and reports name it.
//!
//! `just diagnose` looks at many more, under more loads.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use seda_sim::study::diagnosis::{Cause, Kind, Look, Subject, Truth, Verdict};

/// The seed of the graphs.
const SEED: u64 = 1;
/// A dozen kinds, and what limits graphs of each.
const DOZEN: [(Kind, &[Cause]); 12] = [
    (Kind::Line, &[Cause::Cpu, Cause::Blocked]),
    (Kind::TwoFull, &[Cause::Cpu, Cause::Blocked]),
    (Kind::Cycle, &[Cause::Cpu, Cause::Blocked]),
    (Kind::Blocking, &[Cause::Blocked]),
    (Kind::SharedPool, &[Cause::PoolLimit]),
    (Kind::Cap, &[Cause::PoolLimit]),
    (Kind::Cores, &[Cause::Cores]),
    (Kind::CoresVictim, &[Cause::Cores]),
    (Kind::Rate, &[Cause::Admission]),
    (Kind::Budget, &[Cause::Admission]),
    (Kind::HotKey, &[Cause::Key]),
    (Kind::Outside, &[Cause::Outside]),
];

fn truth(kind: Kind) -> (Subject, Truth) {
    let subject = Subject::generate(kind, SEED).unwrap();
    let truth = Truth::of(&subject).unwrap();
    (subject, truth)
}

#[test]
fn a_kind_and_a_seed_always_give_the_same_graph() {
    for kind in Kind::ALL {
        let graph = |seed| Subject::generate(kind, seed).unwrap().spec.to_toml().unwrap();
        assert_eq!(graph(7), graph(7), "{kind}");
        assert_ne!(graph(7), graph(8), "{kind}");
    }
}

#[test]
fn intervention_finds_what_a_kind_is_about_and_reports_name_it() {
    let mut wrong = Vec::new();
    for (kind, causes) in DOZEN {
        let (subject, truth) = truth(kind);
        if !truth.causes.iter().all(|cause| causes.contains(cause)) || truth.is_tie {
            wrong.push(format!("{kind} is limited by {:?}: {:?}", truth.causes, truth.gains));
        }
        for load in [0.9, 1.3] {
            let looks = Look::pair(&subject, &truth, load).unwrap();
            for look in looks {
                if look.verdicts != [Verdict::Right, Verdict::Right] {
                    let (name, said) = (&look.spec.name, &look.said);
                    wrong.push(format!("{name}: {:?}, {said:?}", look.verdicts));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
