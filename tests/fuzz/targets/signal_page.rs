#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| minectl_fuzz::run("signal_page", bytes));
