#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scimwright_testkit::laws::path(bytes));
