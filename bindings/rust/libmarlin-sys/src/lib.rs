//! Raw bindings for libmarlin, the multiply by 4-bit weights: what `marlin.h` declares, under
//! the same names. The header is the manual. Programs are better served by the crate `libmarlin`.
//!
//! `build.rs` looks for the library in the folder that the environment variable `MARLIN_LIB_DIR` names, then by
//! pkg-config; with the feature `vendored` it is then built from the sources in this crate. With the feature `dlopen`
//! nothing is linked: `libmarlin.so.0` is opened when the first function is called. [`load`] says whether that works;
//! where it does not, functions with a status return [`MARLIN_NOT_SUPPORTED`], and [`marlin_last_error`] of a null
//! handle gives the reason.

#[cfg(feature = "dlopen")]
mod dynamic;

/// The functions of `bindings.rs`, linked.
#[cfg(not(feature = "dlopen"))]
macro_rules! functions {
    ($($declarations:tt)*) => {
        extern "C" {
            $($declarations)*
        }
    };
}

/// The functions of `bindings.rs`, as a table of pointers that is filled when the first of them is called.
#[cfg(feature = "dlopen")]
macro_rules! functions {
    ($(pub fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?;)*) => {
        pub(crate) struct Functions {
            $(pub(crate) $name: unsafe extern "C" fn($($type),*) $(-> $result)?,)*
        }

        impl Functions {
            /// # Safety
            /// `library` must be libmarlin with the interface of these bindings.
            pub(crate) unsafe fn find(library: &crate::dynamic::Library) -> Result<Self, String> {
                Ok(Self {
                    // SAFETY: the caller vouches that the symbol of this name is a function of this type.
                    $($name: unsafe {
                        core::mem::transmute::<*mut core::ffi::c_void, unsafe extern "C" fn($($type),*) $(-> $result)?>(
                            library.symbol(concat!(stringify!($name), "\0"))?
                        )
                    },)*
                })
            }

            /// Stand-ins that do nothing and say so.
            pub(crate) fn missing() -> Self {
                $(unsafe extern "C" fn $name($(_: $type),*) $(-> $result)? {
                    crate::dynamic::Missing::missing()
                })*
                Self { $($name,)* }
            }
        }

        $(pub unsafe extern "C" fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: the same contract, which the caller keeps.
            unsafe { (crate::dynamic::functions().$name)($($argument),*) }
        })*
    };
}

#[allow(missing_docs, non_camel_case_types, clippy::all, clippy::pedantic, clippy::restriction)]
mod bindings;
pub use bindings::*;

/// Whether the library is there. With the feature `dlopen` this opens it, unless a call has done so before, and says
/// why it could not be used; without that feature the program would not have started without it.
pub fn load() -> Result<(), &'static str> {
    #[cfg(feature = "dlopen")]
    return dynamic::load();
    #[cfg(not(feature = "dlopen"))]
    Ok(())
}
