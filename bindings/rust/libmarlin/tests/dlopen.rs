//! Feature `dlopen`: the library is found when the program runs, and a program without it gets errors, not a crash.
#![cfg(feature = "dlopen")]
#![allow(missing_docs)]

use libmarlin::{sys, Device, Error, Handle};
use std::process::Command;

#[test]
fn the_library_is_opened_when_it_is_needed() {
    assert_eq!(sys::load(), Ok(()));
    assert_eq!(libmarlin::version() as u32, sys::MARLIN_VERSION);
    Handle::new(Device::Cpu).unwrap();
}

/// Runs in a process of its own, which `without_the_library_calls_are_refused` starts.
#[test]
#[ignore = "run by another test, where there is no library"]
fn refused() {
    let reason = sys::load().unwrap_err();
    assert!(reason.starts_with("libmarlin could not be opened: ") && reason.contains("libmarlin.so.0"), "{reason}");
    let error = Handle::new(Device::Cpu).unwrap_err();
    assert_eq!(error, Error::NotSupported(reason.into()));
    assert_eq!(error.to_string(), format!("MARLIN_NOT_SUPPORTED: {reason}"));
    assert_eq!(libmarlin::version(), 0);
    libmarlin::set_log(None, libmarlin::LogLevel::Calls);
}

#[test]
fn without_the_library_calls_are_refused() {
    // A file of that name that is no library is found first, whatever is installed.
    let folder = std::env::temp_dir().join(format!("libmarlin-dlopen-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("libmarlin.so.0"), "no library").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "refused", "--ignored"])
        .env("LD_LIBRARY_PATH", &folder)
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
