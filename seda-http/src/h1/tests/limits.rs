use crate::h1::{Limits, LimitsError};

#[test]
fn the_defaults_are_allowed_and_match_the_documentation() {
    let limits = Limits::default();
    assert_eq!(limits.check(), Ok(()));
    assert_eq!(
        (limits.head_bytes, limits.uri_bytes, limits.headers, limits.body_bytes),
        (16_384, 8_192, 100, 1_048_576)
    );
}

#[test]
fn a_value_out_of_range_is_named_with_its_range() {
    let good = Limits::default();
    for (limits, text) in [
        (
            Limits { head_bytes: 1, ..good },
            "head_bytes = 1 is out of range; allowed: 128 to 1048576",
        ),
        (
            Limits { uri_bytes: 16_385, ..good },
            "uri_bytes = 16385 is out of range; allowed: 16 to 16384",
        ),
        (Limits { headers: 257, ..good }, "headers = 257 is out of range; allowed: 1 to 256"),
        (Limits { headers: 0, ..good }, "headers = 0 is out of range; allowed: 1 to 256"),
    ] {
        let error: LimitsError = limits.check().unwrap_err();
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(Limits { body_bytes: 0, ..good }.check(), Ok(()), "a server may take no bodies");
}

#[test]
fn an_unknown_key_is_refused_and_a_missing_key_has_its_default() {
    let limits: Limits = serde_json::from_str(r#"{ "headers": 7 }"#).unwrap();
    assert_eq!(limits, Limits { headers: 7, ..Limits::default() });
    assert!(serde_json::from_str::<Limits>(r#"{ "header": 7 }"#).is_err());
}
