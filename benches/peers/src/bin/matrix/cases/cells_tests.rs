use super::*;

/// The file that is run by default.
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
fn the_default_cells_are_read_and_each_kind_is_among_them() {
    let cells = parse(DEFAULT).unwrap();
    let kinds = cells.all().iter().map(std::mem::discriminant).collect::<Vec<_>>();
    let mut distinct = kinds.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), 10, "one kind after the other");
}

#[test]
fn a_key_that_does_not_exist_is_named_with_its_line() {
    let error = error(&default_with("[quick]\n", "[quick]\nround = 1\n"));
    assert!(error.contains("unknown field `round`"), "{error}");
    assert!(error.contains("cells.toml: TOML parse error at line"), "{error}");
}

#[test]
fn a_value_that_makes_no_sense_is_named() {
    for (from, to, named) in [
        ("slo = \"200ms\"", "slo = \"soon\"", "soon"),
        ("probed = \"axum-bounded-queue-16\"", "probed = \"iis\"", "\"iis\""),
        ("requests = \"/work?micros=1000\"", "requests = \"work\"", "the path in `work`"),
        ("loads = [1.2, 2", "loads = [0.9, 2", "needs `loads` above 1"),
    ] {
        let error = error(&default_with(from, to));
        assert!(error.contains(named), "{named}: {error}");
    }
}

#[test]
fn an_overload_cell_asks_for_one_thing() {
    let error = error(&default_with("trace = ", "requests = \"/\"\ntrace = "));
    assert!(error.contains("says `requests` and `trace`; say one"), "{error}");
}

#[test]
fn no_two_cells_have_one_name() {
    let twice = format!(
        "{DEFAULT}\n[[fairness]]\nname = \"work-1ms\"\nrequests = \"/\"\nclients = 2\nthink = \"0s\"\nlasts = \"1s\"\njain = 0.9\n"
    );
    assert!(error(&twice).contains("two cells are called \"work-1ms\""));
}

#[test]
fn cells_are_chosen_by_name_and_a_wrong_one_is_told_the_right_ones() {
    let cells = parse(DEFAULT).unwrap();
    let chosen = cells.chosen(&["step".to_owned(), "work-1ms".to_owned()]).unwrap();
    assert_eq!(chosen.iter().map(Cell::name).collect::<Vec<_>>(), ["work-1ms", "step"]);
    assert_eq!(cells.chosen(&[]).unwrap().len(), cells.all().len());
    let error = cells.chosen(&["steps".to_owned()]).unwrap_err().to_string();
    assert!(error.contains("no cell is called \"steps\"; there are work-"), "{error}");
}

#[test]
fn quick_takes_its_own_rounds_unless_they_are_said() {
    let cells = parse(DEFAULT).unwrap();
    assert_eq!(cells.settings(false, None).rounds, 5);
    assert_eq!(cells.settings(true, None).rounds, 1);
    assert_eq!(cells.settings(true, Some(3)).rounds, 3);
}
