use super::*;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ACCESS: &str = "\
seconds\tclient\tmethod\tpath\tstatus\tbytes
3\t0\tGET\t/a.png\t200\t203023
43\t0\tGET\t/b.png\t200\t171717
12\t0\tGET\t/a.png\t200\t203023
12\t1\tGET\t/a.png\t304\t0
12\t2\tHEAD\t/é b\t404\t0
";

const LOG: &str = "\
::1 - - [10/Oct/2000:13:55:36 -0700] \"GET /x HTTP/1.0\" 200 2326
1.2.3.4 - - [10/Oct/2000:20:55:37 +0000] \"\\x16\\x03\\x01\" 400 166 \"-\" \"-\"
1.2.3.4 - - [10/Oct/2000:22:55:38 +0200] \"GET /x HTTP/1.0\" 200 2326 \"-\" \"curl \\\"8\\\"\"
1.2.3.4 - - [10/Oct/2000:20:55:38 +0000] \"POST /y HTTP/1.1\" 201 -
";

const TOKENS: &str = "\
seconds\tinput_tokens\toutput_tokens
0.000000\t4808\t10
0.052000\t3180\t8
0.098189\t110\t27
0.098189\t4808\t10
";

fn parse(text: &str) -> Trace {
    Trace::parse("t", text.as_bytes()).unwrap()
}

fn error(text: &str) -> String {
    Trace::parse("t", text.as_bytes()).unwrap_err().to_string()
}

/// Returns times in milliseconds, and methods with paths.
fn replay(trace: &Trace) -> Vec<(u64, String)> {
    let entries = trace.entries.iter().map(|entry| {
        let target = &trace.targets[entry.target as usize];
        (entry.at_nanos / 1_000_000, format!("{} {}", target.method, target.path))
    });
    entries.collect()
}

fn owned(replay: &[(u64, &str)]) -> Vec<(u64, String)> {
    replay.iter().map(|(millis, request)| (*millis, (*request).to_owned())).collect()
}

#[test]
fn an_access_trace_is_sorted_by_time_and_its_requests_are_interned() {
    let trace = parse(ACCESS);
    let expected = [
        (0, "GET /a.png"),
        (9_000, "GET /a.png"),
        (9_333, "GET /a.png"),
        (9_666, "HEAD /%C3%A9%20b"),
        (40_000, "GET /b.png"),
    ];
    assert_eq!(replay(&trace), owned(&expected));
    assert_eq!(trace.targets.len(), 4);
    assert_eq!(trace.targets[0].bytes, Some(203_023));
    assert_eq!(trace.targets[2].status, None, "a 304 is not expected");
    assert_eq!(trace.duration(), Duration::from_secs(40));
    assert_eq!(trace.times().len(), 5);
}

#[test]
fn a_log_is_parsed_in_its_zones_and_skipped_requests_are_counted() {
    let trace = parse(LOG);
    assert_eq!(replay(&trace), owned(&[(0, "GET /x"), (2_000, "GET /x"), (2_500, "POST /y")]));
    assert_eq!((trace.targets.len(), trace.skipped.requests), (2, 1));
}

#[test]
fn tokens_become_work() {
    let trace = parse(TOKENS);
    let expected = [
        (0, "GET /work?micros=5808"),
        (52, "GET /work?micros=3980"),
        (98, "GET /work?micros=2810"),
        (98, "GET /work?micros=5808"),
    ];
    assert_eq!(replay(&trace), owned(&expected));
    assert_eq!(trace.targets.len(), 3);
    let scale = WorkScale { micros_per_input_token: 0.0, micros_per_output_token: 1.0 };
    let trace = Trace::parse_scaled("t", TOKENS.as_bytes(), scale).unwrap();
    assert_eq!(trace.targets[2].path, "/work?micros=27");
}

#[test]
fn windows_line_ends_and_byte_order_marks_change_nothing() {
    for text in [ACCESS, LOG, TOKENS] {
        let windows = format!("\u{feff}{}", text.trim_end().replace('\n', "\r\n"));
        assert_eq!(parse(&windows), parse(text));
    }
}

#[test]
fn bytes_beyond_utf8_are_encoded() {
    let text = b"seconds\tmethod\tpath\n0\tGET\t/\xff\xfe\n";
    assert_eq!(Trace::parse("t", &text[..]).unwrap().targets[0].path, "/%FF%FE");
}

#[test]
fn an_error_names_the_file_the_line_and_the_allowed_values() {
    for (text, expected) in [
        ("", "t is empty"),
        ("\r\n\r\n", "t is empty"),
        ("seconds\tmethod\tpath\n", "t is empty"),
        ("seconds\tmethod\tpath\n0\tOPTIONS\t*\n", "t has no request that can be repeated, 1 were"),
        ("hello\n", "t, line 1: `hello` begins no known format; allowed: a header"),
        ("\nseconds\tpath\n", "t, line 2: the header has the columns `seconds`, `path`: needed"),
        ("seconds\n1\n", "t, line 1: the header has the columns `seconds`: needed are"),
        ("seconds\tmicros\n0\t1\n1\n", "t, line 3: 1 fields between tabs, but the header has 2"),
        ("seconds\tmicros\n-1\t1\n", "t, line 2: seconds is `-1`; allowed: a number from 0"),
        ("seconds\tmicros\nNaN\t1\n", "t, line 2: seconds is `NaN`; allowed: a number from 0"),
        ("seconds\tmicros\n0\t-1\n", "t, line 2: micros is `-1`; allowed: a number from 0"),
    ] {
        let error = error(text);
        assert!(error.starts_with(expected), "{error}");
    }
    let broken = error(&format!("{LOG}not a line\n"));
    assert!(broken.starts_with("t, line 5: `not a line` is not a line of the log"), "{broken}");
    let absent = Trace::open(Path::new("/no/such/file")).unwrap_err().to_string();
    assert!(absent.starts_with("/no/such/file: "), "{absent}");
}

/// A hundred good lines of a log.
fn hundred() -> String {
    LOG.lines().next().map(|line| format!("{line}\n").repeat(100)).unwrap()
}

#[test]
fn malformed_lines_are_skipped_counted_and_named() {
    let stray = r#"::1 - - [10/Oct/2000:13:55:36 -0700] "GET /a"b HTTP/1.0" 200 7"#;
    let cut = r#"::1 - - [10/Oct/2000:13:55:37 -0700] "GET /c HT"#;
    let text = format!("#Version: 1.0\n\n{}\n{stray}\n   \n{}{cut}", hundred(), hundred());
    let trace = parse(&text);
    assert_eq!(trace.entries.len(), 200);
    let skipped = &trace.skipped;
    assert_eq!((skipped.malformed, skipped.requests, skipped.comments), (2, 0, 1));
    assert_eq!(skipped.lines, 202);
    assert_eq!(skipped.first.iter().map(|first| first.line).collect::<Vec<_>>(), [104, 206]);
    assert!(skipped.first[0].reason.contains("is not a line of the log"), "{skipped:?}");
}

#[test]
fn a_log_whose_first_line_is_malformed_is_read() {
    let trace = parse(&format!("GET /half HTTP/1.1\" 200 7\n{}", hundred()));
    assert_eq!((trace.entries.len(), trace.skipped.malformed), (100, 1));
}

#[test]
fn more_malformed_lines_than_the_limit_are_an_error_that_names_the_first() {
    let text = format!("{}bad\nworse\n", hundred());
    let error = error(&text);
    let told = "; 2 of 102 lines are malformed, and --skip-limit allows 1% of them";
    assert!(error.starts_with("t, line 101: `bad` is not a line") && error.ends_with(told));
    // A last line that was cut off does not count.
    assert_eq!(parse(text.trim_end()).skipped.malformed, 2);
}

#[test]
fn a_site_reads_what_a_load_reads() {
    let line = |request: &str, status: &str, bytes: &str| {
        format!("::1 - - [10/Oct/2000:13:55:36 -0700] \"{request}\" {status} {bytes}\n")
    };
    let text = [
        line("GET /a b|[1]{2}^\\\\\\\"é HTTP/1.1", "200", "-"),
        line("POST /form HTTP/1.1", "201", "7"),
        line("GET /slow HTTP/1.1", "499", "0"),
    ]
    .concat();
    let path = std::env::temp_dir().join(format!("seda-site-{}.log", std::process::id()));
    std::fs::write(&path, &text).unwrap();
    let (site, load) = (read_requests(&path, SkipLimit::default()), Trace::open(&path));
    std::fs::remove_file(&path).unwrap();
    let (site, load) = (site.unwrap(), load.unwrap());
    let paths = |requests: &[LoggedRequest]| -> Vec<String> {
        requests.iter().map(|request| request.path.clone()).collect()
    };
    let expected = ["/a%20b%7C%5B1%5D%7B2%7D%5E%5C%22%C3%A9", "/form", "/slow"];
    assert_eq!(paths(&site.requests), expected);
    assert_eq!(load.targets.iter().map(|target| &target.path).collect::<Vec<_>>(), expected);
    let statuses: Vec<_> = site.requests.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(200), Some(201), Some(499)]);
}

/// Returns the path of recorded traffic beside the repository; `None` if it is absent.
fn beside(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if !path.exists() {
        println!("{} is absent: not checked", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn the_recorded_access_trace_is_complete() {
    let Some(path) = beside("web-access.tsv") else { return };
    let trace = Trace::open(&path).unwrap();
    assert_eq!((trace.entries.len(), trace.skipped.requests), (5_000, 0));
    assert_eq!(read_arrivals(&path).unwrap(), trace.times());
}

#[test]
fn the_recorded_work_trace_demands_what_its_scale_gives() {
    let Some(path) = beside("llm-arrivals.tsv") else { return };
    let trace = Trace::open(&path).unwrap();
    assert_eq!((trace.entries.len(), trace.skipped.requests), (8_819, 0));
    let micros = |entry: &Entry| -> u64 {
        let path = &trace.targets[entry.target as usize].path;
        path.strip_prefix("/work?micros=").unwrap().parse().unwrap()
    };
    let sum: u64 = trace.entries.iter().map(micros).sum();
    assert_eq!(sum / 8_819, 4_836);
}
