//! An invalid spec is refused with the key, the value and the values that are allowed. No value
//! panics or wraps, and no setting is without effect.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_sim::spec::{Fault, Process, Trace};
use seda_sim::{SimError, Spec, SpecError};
use std::time::Duration;

/// Reads a spec with `top` before its tables, and `rest` behind the settings of the first stage.
fn spec(top: &str, rest: &str) -> Result<Spec, SpecError> {
    let arrivals = if top.contains("arrivals") || top.contains("clients") {
        ""
    } else {
        "arrivals.rate = 100.0"
    };
    let text = format!(
        "{arrivals}\nwindow = '10s'\nwarm_up = '1s'\ncool_down = '1s'\n{top}\n[[stage]]\nname = 'a'\n\
         capacity = 10\ndemand = {{ kind = 'deterministic', mean = '1ms' }}\n{rest}"
    );
    text.parse()
}

/// Asserts that each spec is refused with a message that contains the given text.
#[track_caller]
fn refused(cases: &[(&str, &str, &str)]) {
    for (top, rest, message) in cases {
        match spec(top, rest) {
            Ok(_) => panic!("accepted: {top} {rest}"),
            Err(error) => {
                assert!(error.to_string().contains(message), "{top} {rest}: {error}");
            }
        }
    }
}

const ENDLESS: &str = "18446744073709551615s";

#[test]
fn a_duration_out_of_bounds_is_named_and_neither_panics_nor_wraps() {
    let stall =
        format!("[[fault]]\nkind = 'stall'\nstage = 'a'\nat = '{ENDLESS}'\nfor = '{ENDLESS}'");
    let long = format!("[[fault]]\nkind = 'stall'\nstage = 'a'\nat = '1s'\nfor = '{ENDLESS}'");
    refused(&[
        ("", &stall, "`fault.at` is 18446744073709551615s; allowed: before the run ends, at 12s"),
        ("", &long, "`fault.for` is 18446744073709551615s; allowed: 1us to 100days"),
        (
            "client.gives_up_after = '18446744073s 709ms'",
            "",
            "`client.gives_up_after` is 18446744073709ms; allowed: 1us to 1days",
        ),
        (
            "client.retry_after = '18446744073s 700ms'",
            "",
            "`client.retry_after` is 18446744073700ms; allowed: 0s to 1days",
        ),
        ("client.gives_up_after = '0s'", "", "`client.gives_up_after` is 0s"),
        ("client.backoff = '2days'", "", "`client.backoff` is 2days"),
        ("client.most_backoff = '2days'", "", "`client.most_backoff` is 2days"),
        ("client.clients = 2", "", "`client.think` is 0s; allowed: 1us to 1days"),
        ("slo = '0s'", "", "`slo` is 0s; allowed: 1ms to 10m"),
        ("slo = '1h'", "", "`slo` is 1h; allowed: 1ms to 10m"),
        ("refusal_cpu = '2s'", "", "`refusal_cpu` is 2s; allowed: 0s to 1s"),
        ("class = [{ name = 'gold', deadline = '0s' }]", "", "`class.gold.deadline` is 0s"),
        (
            "[[class]]\nname = 'default'",
            "[[fault]]\nkind = 'flood'\nclass = 'default'\nfactor = 2\nfrom = '1s'\nto = '101days'",
            "`fault.to` is 101days",
        ),
        (
            "arrivals = { rate = 1.0, process = 'on_off', on = '1s' }",
            "",
            "`arrivals.off` is 0s; allowed: 1us to 100days",
        ),
    ]);
    for demand in [
        "kind = 'exponential', mean = '2h'",
        "kind = 'lognormal', mean = '2h', sigma = 1.0",
        "kind = 'bimodal', fast = '2h', slow = '1ms', slow_share = 0.5",
        "kind = 'bimodal', fast = '1ms', slow = '2h', slow_share = 0.5",
    ] {
        let text = format!(
            "arrivals.rate = 1.0\n[[stage]]\nname = 'a'\ncapacity = 1\ndemand = {{ {demand} }}"
        );
        let error = text.parse::<Spec>().unwrap_err().to_string();
        assert!(error.contains("is 2h; allowed: 0s to 1h"), "{error}");
    }
}

#[test]
fn the_longest_allowed_times_do_not_wrap() {
    let mut spec = spec("client.gives_up_after = '1days'", "").unwrap();
    let retries = "client = { retries = 1000, backoff = '1days', retry_after = '1days', honours_retry_after = true }";
    let refused = self::spec(retries, "[graph]\nbudget = 1").unwrap();
    for spec in [&mut spec, &mut refused.clone()] {
        let stall = Fault::Stall {
            stage: "a".to_owned(),
            at: Duration::from_secs(2),
            length: Duration::from_secs(100 * 24 * 60 * 60),
        };
        spec.faults.push(stall);
        // The requests in the stall have not ended, and none has timed out.
        let ends = seda_sim::run(spec, 1).unwrap().ends;
        assert_eq!((ends.timed_out, ends.scheduled > 900), (0, true), "{ends:?}");
        assert!(ends.unfinished > 0, "{ends:?}");
    }
}

/// A second stage, named `b`.
const SECOND: &str =
    "[[stage]]\nname = 'b'\ncapacity = 1\ndemand = { kind = 'deterministic', mean = '1ms' }\n";

/// Returns the table of a fault.
fn fault(text: &str) -> String {
    format!("[[fault]]\n{text}")
}

#[test]
fn arrivals_without_effect_are_refused() {
    refused(&[
        (
            "arrivals = { rate = 1.0, on = '1s' }",
            "",
            "`arrivals.on` is set; allowed: with process = \"on_off\"",
        ),
        ("arrivals = { rate = 1.0, off = '1s' }", "", "`arrivals.off` is set"),
        ("arrivals = { rate = 1.0, repeat = true }", "", "with process = \"trace\""),
        (
            "arrivals = { process = 'trace', rate = 1.0 }",
            "",
            "`arrivals.rate` is set; allowed: none beside a trace",
        ),
        ("arrivals = { process = 'trace', profile = '1/s:1s' }", "", "`arrivals.profile` is set"),
        ("arrivals = { process = 'trace' }", "", "`arrivals.trace` is empty"),
        ("arrivals = { process = 'trace', trace = 'x.tsv' }", "", "`file` is x.tsv; allowed: none"),
    ]);
}

#[test]
fn a_setting_of_a_stage_without_effect_is_refused() {
    let routed = format!("routes = [{{ to = 'b', share = 0.0 }}]\n{SECOND}");
    refused(&[
        ("", "weight = 2", "`stage.a.weight` is set; allowed: with a `pool` that it shares"),
        ("", "cap = 2", "`stage.a.cap` is set"),
        ("", "balance = 'round_robin'", "`stage.a.balance` is set; allowed: with `replicas`"),
        ("", "pool = 'p'", "`stage.a.pool` is p; allowed: one that a [[pool]] names"),
        ("", "routes = [{ to = 'a', share = 1.0 }]", "a circle that nothing leaves"),
        ("", &routed, "`stage.a.routes.share` is 0; allowed: above 0, up to 1"),
    ]);
}

#[test]
fn a_stage_that_is_never_visited_or_has_no_name_of_its_own_is_refused() {
    let replicas = "replicas = 2\nbalance = 'round_robin'\n";
    refused(&[
        ("", SECOND, "`stage.b` is never visited; allowed: one that a route leads to"),
        ("", &SECOND.replace("'b'", "'a'"), "`stage.name` is a twice; allowed: each name once"),
        ("", &SECOND.replace("'b'", "''"), "`stage.name` is empty"),
        ("", &format!("{replicas}{}", SECOND.replace("'b'", "'a-2'")), "`stage.name` is a-2 twice"),
        ("class = [{ name = '' }]", "", "`class.name` is empty; allowed: a name"),
        ("class = [{ name = 'x' }, { name = 'x' }]", "", "`class.name` is x twice"),
        ("class = [{ name = 'x', share = 0.0 }]", "", "`class.share` is 0 for all"),
    ]);
}

#[test]
fn a_load_that_is_both_open_and_closed_is_refused() {
    refused(&[
        (
            "client.think = '1s'\narrivals.rate = 1.0",
            "",
            "`client.think` is set; allowed: with `client.clients`",
        ),
        (
            "client = { clients = 2, think = '1s' }\narrivals.rate = 1.0",
            "",
            "the load is either open or closed",
        ),
    ]);
}

#[test]
fn a_fault_without_effect_is_refused() {
    refused(&[
        (
            "",
            &fault("kind = 'slow'\nstage = 'a'\nfactor = 2\nfrom = '3s'\nto = '2s'"),
            "`fault.to` is 2s; allowed: later than `from`, which is 3s",
        ),
        (
            "",
            &fault("kind = 'slow'\nstage = 'a'\nfactor = 2\nfrom = '12s'"),
            "`fault.from` is 12s; allowed: before the run ends, at 12s",
        ),
        ("", &fault("kind = 'stall'\nstage = 'a'\nat = '2s'\nfor = '0s'"), "`fault.for` is 0s"),
        (
            "client = { clients = 2, think = '1s' }",
            &fault("kind = 'flood'\nclass = 'default'\nfactor = 2\nfrom = '1s'\nto = '2s'"),
            "neither a trace's nor a closed loop's",
        ),
        (
            "",
            &fault("kind = 'flood'\nclass = 'default'\nfactor = 1e6\nfrom = '1s'\nto = '2s'"),
            "`fault.factor` is 100000000 per second of class default together",
        ),
    ]);
}

#[test]
fn a_burst_or_a_loss_without_effect_is_refused() {
    let burst = |rest: &str| fault(&format!("kind = 'burst'\n{rest}\nfrom = '1s'\nto = '2s'"));
    refused(&[
        ("", &burst("class = 'gold'\nrate = 1"), "`fault.class` is gold; allowed: one of default"),
        ("", &burst("class = 'default'\nrate = 0"), "`fault.rate` is 0; allowed: above 0"),
        ("", &burst("class = 'default'\nrate = 1e8"), "`fault.rate` is 100000000; allowed: 0 to"),
        (
            "",
            &fault("kind = 'burst'\nclass = 'default'\nrate = 1\nfrom = '2s'\nto = '2s'"),
            "`fault.to` is 2s; allowed: later than `from`",
        ),
        (
            "",
            &fault("kind = 'cold'\nstage = 'a'\nshare = 1.0\nat = '1s'"),
            "`fault.stage` is a; allowed: a stage with a demand of kind `cached`",
        ),
    ]);
}

#[test]
fn a_limit_of_concurrency_out_of_bounds_is_refused() {
    refused(&[
        (
            "client.limiter = { kind = 'aimd', least = 0 }",
            "",
            "`client.limiter.least` is 0; allowed: 1 to 1000000",
        ),
        (
            "client.limiter = { kind = 'aimd', backoff = 1.0 }",
            "",
            "`client.limiter.backoff` is 1; allowed: above 0, below 1",
        ),
        (
            "client.limiter = { kind = 'aimd', timeout = '0s' }",
            "",
            "`client.limiter.timeout` is 0s; allowed: 1us to 1days",
        ),
        (
            "client.limiter = { kind = 'vegas', initial = 9, most = 8 }",
            "",
            "`client.limiter.initial` is 9; allowed: from the smallest limit to the largest, 1 to 8",
        ),
    ]);
}

#[test]
fn a_cache_or_a_contended_demand_out_of_bounds_is_refused() {
    for (demand, message) in [
        ("kind = 'cached', hit = '1ms', miss = '9ms', keys = 0", "demand.keys` is 0; allowed: 1"),
        ("kind = 'cached', hit = '2h', miss = '9ms', keys = 1", "demand.hit` is 2h"),
        (
            "kind = 'cached', hit = '1ms', miss = '9ms', keys = 1, uncached = 1.5",
            "demand.uncached` is 1.5; allowed: 0 to 1",
        ),
        ("kind = 'contended', alone = '2h'", "demand.alone` is 2h"),
        (
            "kind = 'contended', alone = '1ms', coherence = -1.0",
            "demand.coherence` is -1; allowed: 0 to 1000",
        ),
    ] {
        let text = format!(
            "arrivals.rate = 1.0\n[[stage]]\nname = 'a'\ncapacity = 1\ndemand = {{ {demand} }}"
        );
        let error = text.parse::<Spec>().unwrap_err().to_string();
        assert!(error.contains(message), "{demand}: {error}");
    }
}

#[test]
fn a_demand_without_its_values_is_refused() {
    let both = "arrivals.rate = 1.0\n[[stage]]\nname = 'a'\ncapacity = 1\ndemand = { kind = 'empirical', seconds = [1.0], file = 'x' }";
    let error = both.parse::<Spec>().unwrap_err().to_string();
    assert!(error.contains("either `seconds` or `file`"), "{error}");
    let traced =
        "arrivals.rate = 1.0\n[[stage]]\nname = 'a'\ncapacity = 1\ndemand = { kind = 'trace' }";
    let error = traced.parse::<Spec>().unwrap_err().to_string();
    assert!(error.contains("`stage.a.demand.kind` is trace; allowed: where"), "{error}");
}

#[test]
fn a_circle_with_a_way_out_is_valid() {
    let behind = "routes = [{ to = 'b' }]\n[[stage]]\nname = 'b'\ncapacity = 10\n\
                  demand = { kind = 'deterministic', mean = '1ms' }\nroutes = [{ to = 'a', share = 0.5 }]";
    assert!(spec("", behind).is_ok());
    let circle = behind.replace("share = 0.5", "share = 1.0");
    assert!(spec("", &circle).unwrap_err().to_string().contains("a circle that nothing leaves"));
}

/// Returns a spec with a trace of the given length: 100 requests a second.
fn traced(seconds: f64) -> Spec {
    let mut spec = spec("", "").unwrap();
    (spec.arrivals.rate, spec.arrivals.process) = (None, Process::Trace);
    let times = (0..).map(|n| f64::from(n) / 100.0).take_while(|time| *time < seconds);
    spec.with_trace(Trace::new(times.collect(), Vec::new()))
}

#[test]
fn a_trace_shorter_than_the_run_is_refused_unless_it_repeats() {
    let mut short = traced(3.0);
    let error = seda_sim::run(&short, 1).unwrap_err().to_string();
    let expected = "`arrivals.trace` is 2.99 seconds long; allowed: as long as warm_up and window \
                 together, 11 seconds, or with `repeat = true`";
    assert_eq!(error, expected);
    short.arrivals.repeat = true;
    assert_eq!(seda_sim::run(&short, 1).unwrap().ends.scheduled, 1000);
    assert_eq!(seda_sim::run(&traced(12.0), 1).unwrap().ends.scheduled, 1000);
    for bad in [vec![1e300], vec![f64::NAN], vec![2.0, 1.0], vec![-1.0]] {
        let spec = traced(12.0).with_trace(Trace::new(bad, Vec::new()));
        let error = spec.check().unwrap_err().to_string();
        assert!(error.contains("allowed: ascending times, 100 days at most"), "{error}");
    }
}

#[test]
fn a_scaled_trace_is_offered_for_the_whole_window() {
    let base = traced(12.0);
    for multiple in [0.5, 1.0, 2.0, 9.0] {
        let rate = 100.0 * multiple;
        let spec = base.at_rate(rate).unwrap();
        let offered = seda_sim::run(&spec, 1).unwrap().offered_per_second;
        assert!((offered / rate - 1.0).abs() < 0.01, "{multiple}: {offered}");
    }
}

/// Returns the message of a load that has no rate to multiply.
fn not_scalable(spec: &Spec) -> String {
    SimError::from(spec.at_rate(100.0).unwrap_err()).to_string()
}

#[test]
fn a_load_without_a_rate_to_multiply_is_named() {
    let profile = spec("arrivals.profile = '100/s:5s,0/s:5s'", "").unwrap();
    let error = not_scalable(&profile);
    let expected = "`arrivals.profile` is 100/s:5s,0/s:5s; allowed: one that ends in a rate";
    assert!(error.starts_with(expected), "{error}");
    let zeros = traced(12.0).with_trace(Trace::new(vec![0.0; 9], Vec::new()));
    let error = not_scalable(&zeros);
    assert!(error.starts_with("`arrivals.trace` is 0 seconds long"), "{error}");
    let closed = spec("client = { clients = 3, think = '1s' }", "").unwrap();
    let error = not_scalable(&closed);
    assert!(error.starts_with("`client.clients` is 3"), "{error}");
}

#[test]
fn a_request_of_a_trace_has_the_demand_in_the_trace() {
    let text = "warm_up = '0s'\nwindow = '10s'\n[arrivals]\nprocess = 'trace'\n[[stage]]\nname = 'a'\ncapacity = 10\n\
                demand = { kind = 'deterministic', mean = '1ms' }\nroutes = [{ to = 'b' }]\n\
                [[stage]]\nname = 'b'\ncapacity = 10\nworkers = 2\ndemand = { kind = 'trace' }\n\
                [graph.control]\nadmission = 'off'\npool_size = 'off'\nbatch_size = 'off'";
    let spec: Spec = toml::from_str(text).unwrap();
    // The second request overtakes the first, so a mix-up of their demands shows in the answers.
    let spec = spec.with_trace(Trace::new(vec![1.0, 1.001, 2.0, 10.0], vec![3.0, 0.5, 0.25, 1.0]));
    let report = seda_sim::run(&spec, 1).unwrap();
    let service = &report.graph.stages[1].service_seconds.quantiles;
    assert_eq!((report.ends.good, service.max.map(|max| max.round())), (3, Some(3.0)));
    assert!((report.response_seconds.mean.unwrap() - (3.75 + 0.003) / 3.0).abs() < 0.001);
    assert!((spec.stages[1].demand.mean() - 4.75 / 4.0).abs() < 1e-9);
}

#[test]
fn a_panic_fault_of_one_replica_spares_the_others() {
    let replicas = "replicas = 3\nbalance = 'round_robin'\n[[fault]]\nkind = 'panic'\nstage = 'a-2'\nshare = 0.5";
    let report = seda_sim::run(&spec("", replicas).unwrap(), 1).unwrap();
    let failed: Vec<u64> = report.graph.stages.iter().map(|stage| stage.failed).collect();
    assert!(failed[0] == 0 && failed[1] > 100 && failed[2] == 0, "{failed:?}");
}

#[test]
fn clients_of_a_closed_loop_think_between_their_requests() {
    let mut spec = spec("client = { clients = 50, think = '99ms' }", "workers = 50").unwrap();
    spec.stages[0].capacity = 100;
    let report = seda_sim::run(&spec, 1).unwrap();
    // A cycle is 1 ms of service and 99 ms of thinking: each client sends ten requests a second.
    assert!((report.throughput_per_second - 500.0).abs() < 5.0, "{report}");
    let fairness = report.fairness.unwrap();
    assert_eq!((fairness.clients, fairness.fewest, fairness.jain > 0.9999), (50, 100, true));
}
