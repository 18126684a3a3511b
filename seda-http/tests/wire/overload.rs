//! Disconnected clients, and the admin view while the graph is full.

use crate::site::{Plan, until};
use std::time::Duration;

/// 1,000 clients close while their requests are queued behind a request in its handler. No handler
/// runs for any of them.
#[test]
fn requests_of_clients_that_closed_are_not_begun() {
    // In waves, because a process commonly has 1,024 descriptors.
    const WAVES: u64 = 5;
    const WAVE: u64 = 200;
    let site = Plan::with(|http| http.closing.half_close = false).start();
    let mut held = site.hold();
    for wave in 1..=WAVES {
        let clients: Vec<_> = (0..WAVE)
            .map(|_| {
                let mut client = site.client();
                client.get("/hello");
                client
            })
            .collect();
        until("the wave is queued", || site.admitted() == 1 + wave * WAVE);
        drop(clients);
        until("the wave is abandoned", || site.lost("abandoned") == wave * WAVE);
    }
    site.release();
    assert_eq!(held.response().text(), "held\n");
    assert_eq!(site.client().fetch("/hello").status, 200);
    let begun: Vec<String> = site.begun.try_iter().collect();
    assert_eq!(begun, ["/hello"]);
    let drained = site.server.drain(Duration::from_secs(30));
    let events = &drained.report.events;
    let requests = &drained.report.requests;
    assert_eq!((events.accepted, events.handled, events.shed), (1_002, 2, 1_000));
    assert_eq!((requests.admitted, requests.answered, requests.open), (1_002, 2, 0));
    assert_eq!(drained.report.stages[0].shed["abandoned"], 1_000);
}

/// The next client in the slot of a closed connection does not get its response.
#[test]
fn a_late_response_does_not_reach_the_next_client() {
    let site = Plan::with(|http| http.closing.half_close = false).workers(2).start();
    let held = site.hold();
    drop(held);
    until("the request is abandoned", || site.lost("abandoned") == 1);
    let mut next = site.hold();
    site.release();
    site.release();
    assert_eq!(next.response().text(), "held\n");
    assert_eq!(next.fetch("/hello").text(), "hello\n");
}

/// The admin view passes no queue and no budget of the graph.
#[test]
fn the_admin_view_answers_while_the_graph_is_full() {
    let site = Plan { capacity: 1, budget: Some(1), ..Plan::default() }.start();
    let mut held = site.hold();
    let mut client = site.client();
    for _ in 0..20 {
        assert_eq!(client.fetch("/hello").status, 503);
        let report = client.fetch("/_seda/report");
        let report: serde_json::Value = serde_json::from_slice(&report.body).unwrap();
        assert_eq!(report["budget"]["limit"], 1);
    }
    site.release();
    assert_eq!(held.response().status, 200);
    assert_eq!(site.admitted(), 1);
}
