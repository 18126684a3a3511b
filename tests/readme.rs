//! The README's program is the example that can be run.

#[test]
fn the_program_in_the_readme_is_the_pipeline_example() {
    let readme = include_str!("../README.md");
    let example = include_str!("../examples/pipeline.rs");
    let (_, program) = example.split_once("\n\n").expect("a program below the example's head");
    assert!(readme.contains(&format!("```rust\n{program}```")), "they differ");
}
