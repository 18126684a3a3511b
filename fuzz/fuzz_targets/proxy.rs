#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| seda_fuzz::proxy::check(data));
