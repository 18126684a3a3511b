//! Generated graphs: intervention shows what each kind is about, and reports name it.
//!
//! `just diagnose` looks at many more, under more loads.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use seda_sim::study::diagnosis::{Cause, Kind, Look, Subject, Truth, Verdict};

/// Generated graphs of at most four stages, one of each kind, and what limits graphs of this kind.
const DOZEN: [(Kind, u64, &[Cause]); 12] = [
    (Kind::Line, 1, &[Cause::Cpu, Cause::Blocked]),
    (Kind::TwoFull, 5, &[Cause::Cpu, Cause::Blocked]),
    (Kind::Cycle, 1, &[Cause::Cpu, Cause::Blocked]),
    (Kind::Blocking, 1, &[Cause::Blocked]),
    (Kind::SharedPool, 1, &[Cause::PoolLimit]),
    (Kind::Cap, 1, &[Cause::PoolLimit]),
    (Kind::Cores, 1, &[Cause::Cores]),
    (Kind::CoresVictim, 1, &[Cause::Cores]),
    (Kind::Rate, 1, &[Cause::Admission]),
    (Kind::Budget, 2, &[Cause::Admission]),
    (Kind::HotKey, 2, &[Cause::Key]),
    (Kind::Outside, 3, &[Cause::Outside]),
];

fn truth(kind: Kind, seed: u64) -> (Subject, Truth) {
    let subject = Subject::generate(kind, seed).unwrap();
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
    for (kind, seed, causes) in DOZEN {
        let (subject, truth) = truth(kind, seed);
        if !truth.causes.iter().all(|cause| causes.contains(cause)) || truth.is_tie {
            wrong
                .push(format!("{kind}-{seed} is limited by {:?}: {:?}", truth.causes, truth.gains));
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
