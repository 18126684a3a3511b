//! Puts the model checker that a feature names behind seda-core's the room `platform/sync`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(seda_model, values(none(), \"loom\", \"shuttle\"))");
    println!("cargo::rustc-cfg=seda_model");
    match (cfg!(feature = "loom"), cfg!(feature = "shuttle")) {
        (true, false) => println!("cargo::rustc-cfg=seda_model=\"loom\""),
        (false, true) => println!("cargo::rustc-cfg=seda_model=\"shuttle\""),
        _ => println!("cargo::error=choose one: --features loom, or --features shuttle"),
    }
}
