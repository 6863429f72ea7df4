//! Unpacking: the way back from any layout.

use crate::handle::{number, size_of};
use crate::{sys, ArrayMut, Element, Error, Handle, Order, Result, Type, Weights};
use std::ptr;

/// What is wanted of packed weights; rows are in the order of the source, act-order undone.
#[derive(Debug)]
pub struct Unpack<'a> {
    order: Order,
    ld_dst: i64,
    dst: Option<ArrayMut<'a>>,
    scales: Option<ArrayMut<'a>>,
    zeros: Option<ArrayMut<'a>>,
}

impl<'a> Unpack<'a> {
    /// Nothing yet; the matrix will be k x n or n x k.
    pub fn new(order: Order) -> Self {
        Self { order, ld_dst: 0, dst: None, scales: None, zeros: None }
    }

    /// The matrix: weights of a float type, rounded once, or codes (`i8` of S4, `u8` of U4), one a byte.
    pub fn dst(mut self, dst: impl Into<ArrayMut<'a>>) -> Self {
        self.dst = Some(dst.into());
        self
    }

    /// Elements between rows of the matrix, 0: tight.
    pub fn ld_dst(mut self, ld_dst: usize) -> Self {
        self.ld_dst = number(ld_dst);
        self
    }

    /// The scales, [`Weights::groups_packed`] x n of the stored type.
    pub fn scales(mut self, scales: impl Into<ArrayMut<'a>>) -> Self {
        self.scales = Some(scales.into());
        self
    }

    /// The zero points or offsets, [`Weights::groups_packed`] x n of the stored type.
    pub fn zeros(mut self, zeros: impl Into<ArrayMut<'a>>) -> Self {
        self.zeros = Some(zeros.into());
        self
    }
}

impl Handle {
    /// Unpacks what is wanted. The call has finished when it returns.
    ///
    /// Errors: [`InvalidArgument`](Error::InvalidArgument); [`NotSupported`](Error::NotSupported) (codes of 2:4 weights
    /// where no code means 0); [`OutOfMemory`](Error::OutOfMemory); [`DeviceError`](Error::DeviceError).
    pub fn unpack(&self, weights: &Weights, wanted: Unpack<'_>) -> Result<()> {
        let Unpack { order, ld_dst, dst, scales, zeros } = wanted;
        expect_type("scales", scales.as_ref().map(|array| array.code), weights.scale_type())?;
        expect_type("zeros", zeros.as_ref().map(|array| array.zero), weights.zero_type())?;
        let data = |array: &Option<ArrayMut<'_>>| array.as_ref().map_or(ptr::null_mut(), |array| array.data);
        let size = |array: &Option<ArrayMut<'_>>| array.as_ref().map_or(0, |array| array.size);
        let desc = sys::marlin_unpack_desc {
            struct_size: size_of::<sys::marlin_unpack_desc>(),
            dst_type: dst.as_ref().map_or(Type::None, |dst| dst.code).number(),
            dst_order: order.number(),
            ld_dst,
            dst: data(&dst),
            dst_size: size(&dst),
            scales: data(&scales),
            scales_size: size(&scales),
            zeros: data(&zeros),
            zeros_size: size(&zeros),
            ..Default::default()
        };
        // SAFETY: handle and weights are alive, the struct says its size, every array its own.
        self.check(unsafe { sys::marlin_unpack(self.raw(), weights.raw(), &desc) })
    }

    /// The weights as a tight matrix in host memory: for CPU handles.
    pub fn unpack_to_vec<T: Element + Default>(&self, weights: &Weights, order: Order) -> Result<Vec<T>> {
        let mut matrix = vec![T::default(); weights.k() * weights.n()];
        self.unpack(weights, Unpack::new(order).dst(&mut matrix))?;
        Ok(matrix)
    }
}

/// The C interface is not told the element types of scales and zeros: they are the stored ones.
fn expect_type(name: &str, given: Option<Type>, stored: Type) -> Result<()> {
    match given {
        Some(given) if given != stored => {
            Err(Error::InvalidArgument(format!("{name} has elements of type {given:?}, expected {stored:?} as stored")))
        }
        _ => Ok(()),
    }
}
