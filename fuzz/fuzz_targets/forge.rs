//! Any bytes as what a forge sends: a `Link` header, a limit, a page, an event. Nothing is authentic whose signature nobody checked.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vouchsafe::fuzz_forge(bytes));
