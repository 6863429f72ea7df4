//! Makes the bindings from the header: `libmarlin-bindgen write|check HEADER BINDINGS`; `check` changes nothing.

use std::process::ExitCode;
use std::{env, fs};

const FIRST_LINES: &str = "// Made from marlin.h by the crate libmarlin-bindgen: do not edit.";

fn bindings(header: &str) -> Result<String, bindgen::BindgenError> {
    let text = bindgen::Builder::default()
        .header(header)
        .allowlist_item("(marlin|MARLIN)_.*")
        // Numbers, not Rust enums: a newer library may answer with one that these bindings do not know.
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        // Comments may be reworded; the bindings are about names, types and layouts.
        .generate_comments(false)
        .derive_default(true)
        .use_core()
        .merge_extern_blocks(true)
        .rust_target(bindgen::RustTarget::stable(77, 0).unwrap_or_default())
        .rust_edition(bindgen::RustEdition::Edition2021)
        .disable_header_comment()
        .raw_line(FIRST_LINES)
        .formatter(bindgen::Formatter::Rustfmt)
        .generate()?
        .to_string();
    // The functions become the argument of a macro, which links them or looks them up at run time (src/lib.rs).
    let parts: Vec<&str> = text.split("extern \"C\" {").collect();
    assert_eq!(parts.len(), 2, "bindgen wrote {} extern blocks, expected one", parts.len() - 1);
    Ok(parts.join("functions! {"))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [command, header, path] = arguments.as_slice() else {
        eprintln!("usage: libmarlin-bindgen write|check HEADER BINDINGS");
        return ExitCode::from(2);
    };
    let wanted = match bindings(header) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{header}: {error}");
            return ExitCode::FAILURE;
        }
    };
    if command == "write" {
        fs::write(path, wanted).unwrap_or_else(|error| panic!("{path}: {error}"));
        return ExitCode::SUCCESS;
    }
    let present = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let differing = wanted.lines().zip(present.lines()).find(|(new, old)| new != old);
    match differing {
        None if wanted.lines().count() == present.lines().count() => {
            println!("{path} is what bindgen makes of {header}");
            ExitCode::SUCCESS
        }
        _ => {
            let (new, old) = differing.unwrap_or(("more or fewer lines", ""));
            eprintln!("{path} is not what bindgen makes of {header}: it has \"{old}\", expected \"{new}\"");
            ExitCode::FAILURE
        }
    }
}
