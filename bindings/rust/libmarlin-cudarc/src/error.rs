//! Errors of the two libraries.

use cudarc::driver::DriverError;
use std::fmt;

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// libmarlin.
    Marlin(libmarlin::Error),
    /// The CUDA driver, called by cudarc.
    Driver(DriverError),
}

/// The result of everything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl From<libmarlin::Error> for Error {
    fn from(error: libmarlin::Error) -> Self {
        Self::Marlin(error)
    }
}

impl From<DriverError> for Error {
    fn from(error: DriverError) -> Self {
        Self::Driver(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marlin(error) => error.fmt(f),
            Self::Driver(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}
