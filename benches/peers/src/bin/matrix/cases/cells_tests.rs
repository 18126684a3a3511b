use super::*;

/// The file of a run without `--cells`.
const DEFAULT: &str = include_str!("../../../../matrix.toml");

fn parse(text: &str) -> Result<Cells, CellsError> {
    Cells::parse(text, Path::new("cells.toml"))
}

fn error(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

fn default_with(from: &str, to: &str) -> String {
    let changed = DEFAULT.replacen(from, to, 1);
    assert_ne!(changed, DEFAULT, "{from} is not in the default cells");
    changed
}

#[test]
fn the_default_file_has_cells_of_every_kind() {
    let cells = parse(DEFAULT).unwrap();
    let kinds = cells.all().iter().map(std::mem::discriminant).collect::<Vec<_>>();
    let mut distinct = kinds.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), 12, "twelve kinds, one after the other");
}

#[test]
fn the_error_for_an_unknown_key_names_the_key_and_its_line() {
    let error = error(&default_with("[quick]\n", "[quick]\nround = 1\n"));
    assert!(error.contains("unknown field `round`"), "{error}");
    assert!(error.contains("cells.toml: TOML parse error at line"), "{error}");
}

#[test]
fn the_error_for_an_invalid_value_names_the_value() {
    for (from, to, named) in [
        ("slo = \"200ms\"", "slo = \"soon\"", "soon"),
        ("probed = \"axum-bounded-queue-16\"", "probed = \"iis\"", "\"iis\""),
        ("requests = \"/work?micros=1000\"", "requests = \"work=1\"", "the path in `work=1`"),
        ("loads = [1.2, 2", "loads = [0.9, 2", "needs `loads` above 1"),
    ] {
        let error = error(&default_with(from, to));
        assert!(error.contains(named), "{named}: {error}");
    }
}

#[test]
fn an_overload_cell_has_either_requests_or_a_trace() {
    let error = error(&default_with("trace = ", "requests = \"/\"\ntrace = "));
    assert!(error.contains("has both `requests` and `trace`; give one"), "{error}");
}

#[test]
fn two_cells_of_the_same_name_are_an_error() {
    let twice = format!(
        "{DEFAULT}\n[[fairness]]\nname = \"work-1ms\"\nrequests = \"/\"\nclients = 2\nthink = \"0s\"\nlasts = \"1s\"\njain = 0.9\n"
    );
    assert!(error(&twice).contains("two cells are called \"work-1ms\""));
}

#[test]
fn cells_are_chosen_by_name_and_the_error_for_an_unknown_name_lists_all() {
    let cells = parse(DEFAULT).unwrap();
    let chosen = cells.chosen(&["step".to_owned(), "work-1ms".to_owned()]).unwrap();
    assert_eq!(chosen.iter().map(Cell::name).collect::<Vec<_>>(), ["work-1ms", "step"]);
    assert_eq!(cells.chosen(&[]).unwrap().len(), cells.all().len());
    let error = cells.chosen(&["steps".to_owned()]).unwrap_err().to_string();
    assert!(error.contains("no cell is called \"steps\"; the file has work-"), "{error}");
}

#[test]
fn quick_has_rounds_of_its_own_unless_rounds_are_given() {
    let cells = parse(DEFAULT).unwrap();
    assert_eq!(cells.settings(false, None).rounds, 5);
    assert_eq!(cells.settings(true, None).rounds, 1);
    assert_eq!(cells.settings(true, Some(3)).rounds, 3);
}
