//! Any bytes as a record, a trust set, an address: no panic, and nothing read that was not signed.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vouchsafe::fuzz_record(bytes));
