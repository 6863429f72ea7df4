//! What belongs to the process: versions and the log. One test, since the log is shared.
#![allow(missing_docs)]

mod support;

use libmarlin::{set_log, sys, Device, Handle, HandleOptions, LogLevel};
use std::sync::Mutex;

static MESSAGES: Mutex<Vec<(LogLevel, String)>> = Mutex::new(Vec::new());

fn keep(level: LogLevel, message: &str) {
    MESSAGES.lock().unwrap().push((level, message.to_string()));
    assert!(!message.contains("1026"), "a receiver that panics");
}

#[test]
fn versions_agree_and_the_log_arrives() {
    // The one place where the version is written.
    let project = include_str!("../../../../CMakeLists.txt");
    let version = project.split("project(marlin VERSION ").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(env!("CARGO_PKG_VERSION"), version);
    let (major, minor, patch) = (sys::MARLIN_VERSION_MAJOR, sys::MARLIN_VERSION_MINOR, sys::MARLIN_VERSION_PATCH);
    assert_eq!(format!("{major}.{minor}.{patch}"), version);
    assert_eq!(libmarlin::version() as u32, sys::MARLIN_VERSION);
    let build: serde_json::Value = serde_json::from_str(libmarlin::build_info()).unwrap();
    assert_eq!(build["version"], version);
    assert_eq!(sys::load(), Ok(()));

    let too_many = |count| Handle::with_options(&HandleOptions::new(Device::Cpu).num_threads(count)).unwrap_err();
    set_log(Some(keep), LogLevel::Error);
    let error = too_many(1025);
    too_many(1026); // the panic of the receiver stays in it
    set_log(None, LogLevel::Off);
    too_many(1027);
    let messages = std::mem::take(&mut *MESSAGES.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(messages[0].0, LogLevel::Error);
    assert!(messages[0].1.contains(error.text()), "{messages:?}");
}
