#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| minectl_fuzz::run("browser", bytes));
