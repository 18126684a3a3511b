//! Selects the model checker for seda-core's locks and threads, by feature.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(seda_model, values(none(), \"loom\", \"shuttle\"))");
    println!("cargo::rustc-cfg=seda_model");
    match (cfg!(feature = "loom"), cfg!(feature = "shuttle")) {
        (true, false) => println!("cargo::rustc-cfg=seda_model=\"loom\""),
        (false, true) => println!("cargo::rustc-cfg=seda_model=\"shuttle\""),
        _ => println!("cargo::error=choose one of --features loom and --features shuttle"),
    }
}
