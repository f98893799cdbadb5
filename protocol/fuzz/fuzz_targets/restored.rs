#![no_main]

libfuzzer_sys::fuzz_target!(init: piquet_fuzz::contained(), |data: &[u8]| piquet_fuzz::restored(data));
