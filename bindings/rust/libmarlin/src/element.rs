//! Element types, and arrays of them that calls read and write: slices, or memory of a GPU.

use crate::Type;
use half::{bf16, f16};
use std::ffi::c_void;
use std::marker::PhantomData;

/// A type that arrays of the library may have: [`struct@f16`], [`bf16`] and `f32` values; `i8` and `u8` codes and zero
/// points; `i32` and `u32` words of eight codes, and indices.
///
/// # Safety
/// Any bytes must be a value, `CODE` and `ZERO` must say what they are.
pub unsafe trait Element: Copy + sealed::Sealed + 'static {
    /// What it is as a weight, a scale or an activation; [`Type::None`] for words.
    const CODE: Type;
    /// What it is as a zero point or an offset; [`Type::None`] for words.
    const ZERO: Type;
}

/// A type that activations, results and biases may have.
pub trait Float: Element {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! element {
    ($($name:ty: $code:ident, $zero:ident;)*) => {
        $(
            impl sealed::Sealed for $name {}
            // SAFETY: a plain number, and the names of its type.
            unsafe impl Element for $name {
                const CODE: Type = Type::$code;
                const ZERO: Type = Type::$zero;
            }
        )*
    };
}

element! {
    f16: F16, F16;
    bf16: Bf16, Bf16;
    f32: F32, F32;
    i8: S4, None;
    u8: U4, U8;
    i32: None, None;
    u32: None, None;
}

impl Float for f16 {}
impl Float for bf16 {}
impl Float for f32 {}

/// An array that a call reads. A slice becomes one by `into()`; [`Array::from_raw`] stands for memory of a GPU.
#[derive(Debug, Clone, Copy)]
pub struct Array<'a> {
    pub(crate) data: *const c_void,
    pub(crate) size: usize,
    pub(crate) code: Type,
    pub(crate) zero: Type,
    pub(crate) on_host: bool,
    lifetime: PhantomData<&'a [u8]>,
}

impl<'a> Array<'a> {
    /// `len` elements in memory of the handle that will read them: a GPU's, or host memory.
    ///
    /// # Safety
    /// The elements must stay readable and unchanged until every call that gets this array has finished; a multiply on
    /// a GPU finishes when its stream does.
    pub unsafe fn from_raw<T: Element>(data: *const T, len: usize) -> Self {
        Self {
            data: data.cast(),
            size: len.saturating_mul(std::mem::size_of::<T>()),
            code: T::CODE,
            zero: T::ZERO,
            on_host: false,
            lifetime: PhantomData,
        }
    }

    /// Elements of type `T` as they lie in a file, at any address. (`g_idx`, `importance`, `column_scales` and a bias
    /// must be aligned, and are refused otherwise.)
    pub fn from_bytes<T: Element>(bytes: &'a [u8]) -> Self {
        Self {
            data: bytes.as_ptr().cast(),
            size: bytes.len(),
            code: T::CODE,
            zero: T::ZERO,
            on_host: true,
            lifetime: PhantomData,
        }
    }
}

impl<'a, T: Element> From<&'a [T]> for Array<'a> {
    fn from(slice: &'a [T]) -> Self {
        Self {
            data: slice.as_ptr().cast(),
            size: std::mem::size_of_val(slice),
            code: T::CODE,
            zero: T::ZERO,
            on_host: true,
            lifetime: PhantomData,
        }
    }
}

impl<'a, T: Element> From<&'a Vec<T>> for Array<'a> {
    fn from(vec: &'a Vec<T>) -> Self {
        vec.as_slice().into()
    }
}

impl<'a, T: Element, const N: usize> From<&'a [T; N]> for Array<'a> {
    fn from(array: &'a [T; N]) -> Self {
        array.as_slice().into()
    }
}

/// An array that a call fills. A slice becomes one by `into()`; [`ArrayMut::from_raw`] stands for memory of a GPU.
#[derive(Debug)]
pub struct ArrayMut<'a> {
    pub(crate) data: *mut c_void,
    pub(crate) size: usize,
    pub(crate) code: Type,
    pub(crate) zero: Type,
    lifetime: PhantomData<&'a mut [u8]>,
}

impl ArrayMut<'_> {
    /// `len` elements in memory of the handle that will write them: a GPU's, or host memory.
    ///
    /// # Safety
    /// The elements must stay writable, and nothing else may use them, until every call that gets this array has
    /// finished.
    pub unsafe fn from_raw<T: Element>(data: *mut T, len: usize) -> Self {
        Self {
            data: data.cast(),
            size: len.saturating_mul(std::mem::size_of::<T>()),
            code: T::CODE,
            zero: T::ZERO,
            lifetime: PhantomData,
        }
    }
}

impl<'a, T: Element> From<&'a mut [T]> for ArrayMut<'a> {
    fn from(slice: &'a mut [T]) -> Self {
        Self {
            data: slice.as_mut_ptr().cast(),
            size: std::mem::size_of_val(slice),
            code: T::CODE,
            zero: T::ZERO,
            lifetime: PhantomData,
        }
    }
}

impl<'a, T: Element> From<&'a mut Vec<T>> for ArrayMut<'a> {
    fn from(vec: &'a mut Vec<T>) -> Self {
        vec.as_mut_slice().into()
    }
}
