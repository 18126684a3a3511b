//! The program in the README is a runnable example.

#[test]
fn the_program_in_the_readme_is_the_pipeline_example() {
    let readme = include_str!("../README.md");
    let example = include_str!("../examples/pipeline.rs");
    let (_, program) = example.split_once("\n\n").expect("a program below the head of the example");
    assert!(readme.contains(&format!("```rust\n{program}```")), "they differ");
}
