//! How to test a handler alone, without threads and without sleeping, on real queues and workers.
//!
//! The handler looks words up: in its own table, or, through the stage behind it, in a remote
//! dictionary that takes 200 ms.
//!
//! Type: `cargo run --example tested_handler`, or as tests: `cargo test --example tested_handler`
//! See:  a line for each property that was checked. The checks below are models for your own tests.

use seda::testing::{Probe, Stepped, Timeline, probe};
use seda::{
    Context, Graph, GraphError, LossReason, RefusalReason, Responder, SendOptions, Source, Stage,
    StageConfig,
};
use std::{error::Error, time::Duration};

// ---- The code under test. Each stage has a function that attaches it to given stages, so that a
// test
// ---- can give it others.

struct Lookup {
    word: &'static str,
    reply: Responder<String>,
}

/// Attaches a handler that answers the words of its own table and passes others on to `remote`. If
/// `remote` refuses, it answers that it is busy.
fn attach_lookup(
    graph: &mut Graph,
    lookup: Stage<Lookup>,
    remote: Stage<Lookup>,
) -> Result<(), GraphError> {
    graph.attach_each(lookup, |wire| {
        let remote = wire.sink(remote);
        move |lookup: Lookup, cx| match lookup.word {
            "stage" => lookup.reply.respond("a queue and a handler".to_owned()),
            _ => {
                if let Err(refused) = cx.send(&remote, lookup) {
                    refused.into_event().reply.respond("busy, ask again".to_owned());
                }
            }
        }
    })
}

/// Attaches a handler that asks the remote dictionary and does not wait: the answer comes on
/// another thread.
fn attach_remote(
    graph: &mut Graph,
    remote: Stage<Lookup>,
    dictionary: impl Dictionary,
) -> Result<(), GraphError> {
    graph.attach_each(remote, |_wire| {
        move |lookup: Lookup, cx: &mut Context| match cx.defer() {
            Ok(pending) => dictionary.ask(lookup.word, move |meaning| {
                lookup.reply.respond(meaning);
                pending.complete();
            }),
            Err(_) => lookup.reply.respond("busy, ask again".to_owned()),
        }
    })
}

/// A client of a remote dictionary. It calls `then` with the meaning of the word.
trait Dictionary: Clone + Send + Sync + 'static {
    fn ask(&self, word: &'static str, then: impl FnOnce(String) + Send + 'static);
}

// ---- The tests.

const ROUND_TRIP: Duration = Duration::from_millis(200);

/// The dictionary of the tests answers by the clock of the test.
impl Dictionary for Timeline {
    fn ask(&self, word: &'static str, then: impl FnOnce(String) + Send + 'static) {
        self.after(ROUND_TRIP, move || then(format!("what `{word}` means")));
    }
}

type Checked = Result<(), Box<dyn Error>>;

/// Returns the stage `lookup` alone, with a probe in place of the stage behind it.
fn lookup_alone() -> Result<(Stepped, Source<Lookup>, Probe<Lookup>), GraphError> {
    let mut graph = Graph::new("lookup alone");
    let lookup = graph.stage("lookup", 16);
    let (remote, passed_on) = probe(&mut graph, "remote", 16)?;
    attach_lookup(&mut graph, lookup, remote)?;
    let words = graph.source(lookup)?;
    Ok((Stepped::start(graph)?, words, passed_on))
}

/// Returns both stages on a timeline; two lookups may be pending at the dictionary.
fn both_stages() -> Result<(Stepped, Source<Lookup>), GraphError> {
    let timeline = Timeline::new();
    let mut graph = Graph::new("lookup");
    let lookup = graph.stage("lookup", 16);
    let remote = graph.stage("remote", 16);
    attach_lookup(&mut graph, lookup, remote)?;
    attach_remote(&mut graph, remote, timeline.clone())?;
    graph.configure(remote, StageConfig { pending: Some(2), ..StageConfig::default() })?;
    let words = graph.source(lookup)?;
    Ok((Stepped::start_on(graph, &timeline)?, words))
}

fn a_known_word_is_answered_and_not_passed_on() -> Checked {
    let (mut test, words, passed_on) = lookup_alone()?;
    let ticket = words.request(|reply| Lookup { word: "stage", reply })?;
    assert_eq!(test.answer(&ticket), "a queue and a handler");
    assert!(passed_on.is_empty());
    test.assert_finished();
    Ok(())
}

fn an_unknown_word_is_passed_on_with_its_responder() -> Checked {
    let (mut test, words, passed_on) = lookup_alone()?;
    let ticket = words.request(|reply| Lookup { word: "sedan", reply })?;
    test.run_until_idle();
    for lookup in passed_on.take() {
        assert_eq!(lookup.word, "sedan");
        lookup.reply.respond("a car".to_owned()); // The test answers for the next stage.
    }
    assert_eq!(test.answer(&ticket), "a car");
    test.assert_finished();
    Ok(())
}

fn a_refusal_by_the_next_stage_is_answered_as_busy() -> Checked {
    let (mut test, words, passed_on) = lookup_alone()?;
    passed_on.refuse();
    let ticket = words.request(|reply| Lookup { word: "sedan", reply })?;
    assert_eq!(test.answer(&ticket), "busy, ask again");
    assert_eq!(test.refused("remote", RefusalReason::Full), 1);
    test.assert_finished();
    Ok(())
}

fn a_request_that_expires_in_the_queue_is_reported_to_its_client() -> Checked {
    let (mut test, words, passed_on) = lookup_alone()?;
    let deadline = Some(Duration::from_millis(50));
    let hurried = words.with_options(SendOptions { deadline, ..SendOptions::default() });
    let ticket = hurried.request(|reply| Lookup { word: "sedan", reply })?;
    test.stall(Duration::from_millis(50)); // As if all workers were busy for 50 ms.
    assert_eq!(test.loss(&ticket), LossReason::Expired);
    assert!(passed_on.is_empty());
    test.assert_finished();
    Ok(())
}

fn at_most_two_lookups_wait_for_the_dictionary_and_none_holds_a_worker() -> Checked {
    let (mut test, words) = both_stages()?;
    let [first, second, third] =
        ["sedan", "sedge", "seed"].map(|word| words.request(|reply| Lookup { word, reply }));
    assert_eq!(test.answer(&third?), "busy, ask again");
    assert_eq!(test.stage("remote").pending, 2);
    test.advance(ROUND_TRIP - Duration::from_nanos(1));
    assert_eq!(test.stage("remote").pending, 2);
    test.advance(Duration::from_nanos(1));
    assert_eq!(test.answer(&first?), "what `sedan` means");
    assert_eq!(test.answer(&second?), "what `sedge` means");
    test.assert_finished();
    Ok(())
}

type Check = fn() -> Checked;

/// Every check, with the property that it shows.
const CHECKS: [(&str, Check); 5] = [
    ("a known word is answered and not passed on", a_known_word_is_answered_and_not_passed_on),
    (
        "an unknown word is passed on with its responder",
        an_unknown_word_is_passed_on_with_its_responder,
    ),
    (
        "a refusal by the next stage is answered as busy",
        a_refusal_by_the_next_stage_is_answered_as_busy,
    ),
    (
        "a request that expires in the queue is reported to its client",
        a_request_that_expires_in_the_queue_is_reported_to_its_client,
    ),
    (
        "at most two lookups wait for the dictionary, and none holds a worker",
        at_most_two_lookups_wait_for_the_dictionary_and_none_holds_a_worker,
    ),
];

fn main() -> Checked {
    for (property, check) in CHECKS {
        check()?;
        println!("ok: {property}");
    }
    println!("{} properties checked, without threads and without sleeping", CHECKS.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_property_of_the_example_holds() {
        for (property, check) in super::CHECKS {
            check().unwrap_or_else(|error| panic!("{property}: {error}"));
        }
    }
}
