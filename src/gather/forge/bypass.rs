//! What a push shows of controls that were set aside.
