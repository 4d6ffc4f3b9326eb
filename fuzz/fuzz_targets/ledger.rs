//! Any bytes as what stands in a ledger: entry, leaf, claim, checkpoint, proof, bundle of leaves, time-stamp, parcel.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vouchsafe::fuzz_ledger(bytes));
