#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| piquet_fuzz::store_keys(data));
