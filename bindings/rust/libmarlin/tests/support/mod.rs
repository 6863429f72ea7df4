//! What the tests share: the golden vectors of the repository, and the product in double precision.
#![allow(dead_code, missing_docs, reason = "every test takes its part")]

pub mod formula;
pub mod golden;

use libmarlin::{AlignedBytes, Device, Handle, HandleOptions, Order, Weights};
use std::path::PathBuf;

/// The folder tests/golden; MARLIN_GOLDEN_DIR names it where the tests run on another machine.
pub fn golden_dir() -> PathBuf {
    std::env::var_os("MARLIN_GOLDEN_DIR")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/golden").into(), PathBuf::from)
}

pub fn read_json(name: &str) -> serde_json::Value {
    let path = golden_dir().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

pub fn read_bytes(name: &str) -> AlignedBytes {
    let path = golden_dir().join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    AlignedBytes::copy_of(&bytes).unwrap()
}

/// A CPU handle of two threads.
pub fn cpu() -> Handle {
    Handle::with_options(&HandleOptions::new(Device::Cpu).num_threads(2)).unwrap()
}

/// Activations between -1 and 1, multiples of 1/64, so that every float type holds them exactly.
pub fn activations(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + i / 11) % 129) as f32 / 64.0 - 1.0).collect()
}

/// Checks C = A * W + bias against the product in double precision. `rounding` is that of C's type, relative; FP32
/// accumulation errs by less than k roundings of the sum of magnitudes, the weights of `unpack` by one more.
pub fn check_product(handle: &Handle, weights: &Weights, a: &[f32], bias: Option<&[f32]>, c: &[f32], rounding: f64) {
    let (k, n) = (weights.k(), weights.n());
    let w: Vec<f32> = handle.unpack_to_vec(weights, Order::KxN).unwrap();
    assert_eq!(c.len() / n, a.len() / k);
    let mut magnitudes = 0.0;
    for (row, c_row) in a.chunks(k).zip(c.chunks(n)) {
        for (column, &got) in c_row.iter().enumerate() {
            let products = row.iter().enumerate().map(|(i, &a)| f64::from(a) * f64::from(w[i * n + column]));
            let start = f64::from(bias.map_or(0.0, |bias| bias[column]));
            let (exact, magnitude) =
                products.fold((start, start.abs()), |(sum, magnitude), p| (sum + p, magnitude + p.abs()));
            let bound = magnitude * (k + 2) as f64 * f64::from(f32::EPSILON) + exact.abs() * rounding;
            let error = (f64::from(got) - exact).abs();
            assert!(error <= bound, "column {column}: {got}, expected {exact} within {bound}");
            magnitudes += magnitude;
        }
    }
    assert!(magnitudes > 0.0, "a product of zeros checks nothing");
}
