//! Any bytes as a report, begun from reports in JSON: no panic, no endless loop, and the laws of `vouchsafe::fuzz_report`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vouchsafe::fuzz_report(bytes));
