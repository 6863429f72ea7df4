//! Finds libmarlin.so for the linker: MARLIN_LIB_DIR, then pkg-config, then (feature `vendored`) a build of our own.

use std::env;
use std::path::Path;

fn main() {
    for name in ["MARLIN_LIB_DIR", "DOCS_RS"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    // Documentation needs no library, and with `dlopen` the program looks for it when it runs.
    if env::var_os("DOCS_RS").is_some() || env::var_os("CARGO_FEATURE_DLOPEN").is_some() {
        return;
    }
    if let Some(folder) = env::var_os("MARLIN_LIB_DIR") {
        let folder = Path::new(&folder);
        assert!(
            folder.join("libmarlin.so").exists(),
            "MARLIN_LIB_DIR is {}, expected the folder that holds libmarlin.so",
            folder.display()
        );
        return link(folder);
    }
    // While the major version is 0, a new minor version may change the interface.
    let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    let next = minor.parse::<u32>().expect("a version is made of numbers") + 1;
    let found = pkg_config::Config::new()
        .range_version(format!("{major}.{minor}").as_str()..format!("{major}.{next}").as_str())
        .probe("marlin");
    match found {
        Ok(library) => {
            for folder in library.link_paths {
                println!("cargo:lib_dir={}", folder.display());
            }
        }
        Err(error) => vendored(&error),
    }
}

/// For the linker, and as DEP_MARLIN_LIB_DIR for build scripts of the crates above.
fn link(folder: &Path) {
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib=dylib=marlin");
    println!("cargo:lib_dir={}", folder.display());
}

#[cfg(feature = "vendored")]
fn vendored(_: &pkg_config::Error) {
    for source in ["CMakeLists.txt", "libmarlin/CMakeLists.txt", "libmarlin/core", "libmarlin/capi"] {
        println!("cargo:rerun-if-changed=vendor/{source}");
    }
    // A static library: programs then need nothing beside themselves.
    let prefix = cmake::Config::new("vendor")
        .profile("Release")
        .define("MARLIN_CUDA", "OFF")
        .define("MARLIN_SHARED", "OFF")
        .define("MARLIN_STATIC", "ON")
        .define("MARLIN_INSTALL", "ON")
        .define("CMAKE_INSTALL_LIBDIR", "lib")
        .build();
    println!("cargo:rustc-link-search=native={}", prefix.join("lib").display());
    println!("cargo:rustc-link-lib=static=marlin");
    println!("cargo:rustc-link-lib=dylib=stdc++");
    println!("cargo:root={}", prefix.display());
}

#[cfg(not(feature = "vendored"))]
fn vendored(error: &pkg_config::Error) {
    panic!(
        "libmarlin was not found. Set MARLIN_LIB_DIR to the folder that holds libmarlin.so, or PKG_CONFIG_PATH to the \
         one that holds marlin.pc; or enable a feature of libmarlin-sys: vendored (build it here) or dlopen (look for \
         it when the program runs).\npkg-config said: {error}"
    );
}
