//! The programs in docs/rust.md as documentation tests.
#![doc = include_str!("../../../../docs/rust.md")]
