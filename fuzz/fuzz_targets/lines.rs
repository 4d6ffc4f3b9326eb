//! Any bytes as a report that is lines: the seeds are those of TAP, LCOV and the event formats, the laws are
//! `vouchsafe::fuzz_report`'s.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vouchsafe::fuzz_report(bytes));
