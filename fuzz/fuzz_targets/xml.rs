//! Any bytes as a report of every XML format: no panic, no endless loop, and the laws that `vouchsafe::fuzz_report` asserts.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vouchsafe::fuzz_report(bytes));
