//! The kept inputs of every target, with stable Rust.

use std::fs;
use std::path::PathBuf;

fn run(target: &str, check: fn(&[u8])) {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "seeds", target].iter().collect();
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        check(&fs::read(path).unwrap());
        count += 1;
    }
    assert!(count > 0, "{target} has no seeds");
}

#[test]
fn heads() {
    run("head", seda_fuzz::head::check);
}

#[test]
fn chunked_bodies() {
    run("chunked", seda_fuzz::chunked::check);
}

#[test]
fn range_and_conditional_fields() {
    run("fields", seda_fuzz::fields::check);
}

#[test]
fn connections() {
    run("connection", seda_fuzz::connection::check);
}

#[test]
fn proxy_headers() {
    run("proxy", seda_fuzz::proxy::check);
}
