//! The README's programs are examples that can be run.

const README: &str = include_str!("../README.md");

/// Returns the example's text without the comment at its head; empty without such a comment.
fn program(example: &str) -> &str {
    example.split_once("\n\n").map_or("", |(_, program)| program)
}

#[test]
fn the_server_in_the_readme_is_the_hello_server_example() {
    let program = program(include_str!("../examples/hello_server.rs"));
    assert!(README.contains(&format!("```rust,no_run\n{program}```")), "they differ");
}

#[test]
fn the_server_in_the_readme_has_25_lines_at_most() {
    let program = program(include_str!("../examples/hello_server.rs"));
    assert!(program.lines().count() <= 25, "{} lines", program.lines().count());
}

#[test]
fn the_graph_in_the_readme_is_the_pipeline_example() {
    let program = program(include_str!("../examples/pipeline.rs"));
    assert!(README.contains(&format!("```rust\n{program}```")), "they differ");
}
