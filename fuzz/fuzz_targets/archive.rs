//! Any bytes as an archive of reports: no panic, no endless loop, and the laws that `vouchsafe::fuzz_archive` asserts.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vouchsafe::fuzz_archive(bytes));
