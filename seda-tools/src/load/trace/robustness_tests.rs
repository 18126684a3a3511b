use super::*;
use crate::h1::is_origin_form;
use proptest::prelude::*;

/// Pieces of all formats, and random bytes, which alone rarely get past the first line.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const KNOWN: [&str; 24] = [
        "\n",
        "\r\n",
        "\t",
        " ",
        "\u{feff}",
        "seconds\tmethod\tpath\tstatus\tbytes\n",
        "seconds\tmicros\n",
        "seconds\tinput_tokens\toutput_tokens\n",
        "seconds\n",
        "1\tGET\t/a\t200\t7\n",
        "2.5\tGET\t*\t304\t-\n",
        "0.25\t1000\n",
        "3\t100\t20\n",
        "-1",
        "NaN",
        "1e300",
        "::1 - - [10/Oct/2000:13:55:36 -0700] \"GET /x HTTP/1.0\" 200 2326\n",
        "::1 - - [29/Feb/2004:23:59:60 +1400] \"-\" 408 -\n",
        "::1 - - [",
        "] \"GET /\\x",
        "\" 200 1",
        "\\",
        "\"",
        "/work?micros=1",
    ];
    prop_oneof![
        4 => prop::sample::select(&KNOWN[..]).prop_map(|known| known.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        prop::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_parsed_trace_can_be_sent(text in text(), input in any::<f64>(), output in any::<f64>()) {
        let scale = WorkScale { micros_per_input_token: input, micros_per_output_token: output };
        for trace in [Trace::parse("t", &text[..]), Trace::parse_scaled("t", &text[..], scale)] {
            let Ok(trace) = trace else { continue };
            prop_assert!(!trace.entries.is_empty());
            prop_assert_eq!(trace.entries[0].at_nanos, 0);
            prop_assert!(trace.times().is_sorted());
            prop_assert!(trace.targets.iter().all(|target| is_origin_form(&target.path)));
            let targets = trace.targets.len();
            prop_assert!(trace.entries.iter().all(|entry| (entry.target as usize) < targets));
        }
    }

    #[test]
    fn parsed_arrivals_ascend_from_zero(text in text()) {
        if let Ok(times) = parse_arrivals("t", &text[..]) {
            prop_assert_eq!(times[0], 0);
            prop_assert!(times.is_sorted());
        }
    }
}
