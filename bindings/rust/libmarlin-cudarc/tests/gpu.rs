//! On a GPU: packing from both kinds of memory, multiplies with bias on streams. Ignored unless asked for, since they
//! need a CUDA device; `--include-ignored` where there is one.
#![allow(missing_docs)]

use cudarc::driver::{CudaContext, CudaSlice};
use libmarlin::{f16, Device, Gemm, Handle, HandleOptions, Layout, PackInput, PackOptions, Sparsity};
use libmarlin_cudarc::{CudaGemm, CudaHandle, CudaPackInput, Error};

const SHAPE: (usize, usize, usize) = (8, 512, 256);

fn values(count: usize) -> Vec<f16> {
    (0..count).map(|i| f16::from_f32((i * 53 % 113) as f32 / 56.0 - 1.0)).collect()
}

fn options() -> PackOptions {
    PackOptions::new(SHAPE.1, SHAPE.2, 128)
}

/// The same multiply on the CPU, to FP32, by the bytes that the GPU has.
fn on_cpu(bytes: Vec<u8>, a: &[f16], bias: Option<&[f16]>) -> Vec<f32> {
    let handle = Handle::with_options(&HandleOptions::new(Device::Cpu).num_threads(2)).unwrap();
    let weights = handle.attach(libmarlin::AlignedBytes::copy_of(&bytes).unwrap()).unwrap();
    let mut c = vec![0.0f32; SHAPE.0 * SHAPE.2];
    let mut gemm = Gemm::new(SHAPE.0);
    if let Some(bias) = bias {
        gemm = gemm.bias(bias);
    }
    if weights.is_sparse() {
        handle.sp_gemm(&gemm, a, &weights, &mut c).unwrap();
    } else {
        handle.gemm(&gemm, a, &weights, &mut c).unwrap();
    }
    c
}

/// Up to 16 rows the GPU does not round weights either: both err by FP32 accumulation (k roundings of at most 1 * 1 in
/// magnitude each), then the GPU rounds to FP16.
fn check(got: &[f16], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (&got, &expected) in got.iter().zip(expected) {
        let k = SHAPE.1 as f32;
        let bound = expected.abs() / 2048.0 + 2.0 * k * k * f32::EPSILON;
        assert!((got.to_f32() - expected).abs() <= bound, "{got}, expected {expected} within {bound}");
    }
    assert!(expected.iter().any(|value| value.abs() > 1.0));
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_layer_is_packed_and_multiplied_on_the_gpu() {
    let (m, k, n) = SHAPE;
    let context = CudaContext::new(0).unwrap();
    for stream in [context.default_stream(), context.new_stream().unwrap()] {
        let handle = CudaHandle::new(&stream).unwrap();
        assert_eq!(handle.handle().info().unwrap().device, Device::Cuda);
        let (w, a, bias) = (values(k * n), values(m * k), values(n));
        let weights = handle.pack_from_host(&options(), &PackInput::new(&w)).unwrap();
        assert_eq!(weights.weights().layout(), Layout::Dense);
        let bytes = handle.to_host(&weights).unwrap();

        let on_device = stream.clone_htod(&w).unwrap();
        let again = handle.pack(&options(), &CudaPackInput::new(&on_device)).unwrap();
        assert_eq!(handle.to_host(&again).unwrap(), bytes);
        let attached = handle.attach_from_host(&bytes).unwrap();

        let (a_gpu, bias_gpu) = (stream.clone_htod(&a).unwrap(), stream.clone_htod(&bias).unwrap());
        for weights in [&weights, &attached] {
            let mut c: CudaSlice<f16> = stream.alloc_zeros(m * n).unwrap();
            handle.gemm(&CudaGemm::new(m).bias(&bias_gpu), &a_gpu, weights, &mut c).unwrap();
            check(&stream.clone_dtoh(&c).unwrap(), &on_cpu(bytes.clone(), &a, Some(&bias)));
        }
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn sparse_weights_multiply_on_the_gpu() {
    let (m, k, n) = SHAPE;
    let stream = CudaContext::new(0).unwrap().default_stream();
    let handle = CudaHandle::new(&stream).unwrap();
    let w = values(k * n);
    let weights = handle.pack_from_host(&options().sparsity(Sparsity::Select24), &PackInput::new(&w)).unwrap();
    let a = values(m * k);
    let a_gpu = stream.clone_htod(&a).unwrap();
    let mut c: CudaSlice<f16> = stream.alloc_zeros(m * n).unwrap();
    handle.gemm(&CudaGemm::new(m), &a_gpu, &weights, &mut c).unwrap();
    check(&stream.clone_dtoh(&c).unwrap(), &on_cpu(handle.to_host(&weights).unwrap(), &a, None));
}

#[test]
#[ignore = "needs a CUDA device"]
fn short_arrays_and_host_slices_are_refused() {
    let (m, k, n) = SHAPE;
    let stream = CudaContext::new(0).unwrap().default_stream();
    let handle = CudaHandle::new(&stream).unwrap();
    let w = values(k * n);
    let weights = handle.pack_from_host(&options(), &PackInput::new(&w)).unwrap();
    let a: CudaSlice<f16> = stream.alloc_zeros(m * k - 1).unwrap();
    let mut c: CudaSlice<f16> = stream.alloc_zeros(m * n).unwrap();
    let Err(Error::Marlin(error)) = handle.gemm(&CudaGemm::new(m), &a, &weights, &mut c) else {
        panic!("a success, expected an error of libmarlin");
    };
    assert_eq!(error.text(), "a has 4095 elements, expected (m - 1) * lda + k = 4096 or more");
    let mut c = vec![f16::ZERO; m * n];
    let error = handle.handle().gemm(&Gemm::new(m), &w[..m * k], weights.weights(), &mut c).unwrap_err();
    assert_eq!(error.text(), "the handle is of a GPU, expected a CPU handle for slices: call gemm_raw");
}
