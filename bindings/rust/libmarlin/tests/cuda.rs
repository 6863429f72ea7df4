//! Handles of a GPU, as far as they need no memory there (the crate libmarlin-cudarc tests the rest). Ignored unless
//! asked for, since they need a CUDA device; `--include-ignored` where there is one.
#![allow(missing_docs)]

use libmarlin::{AlignedBytes, Device, Error, Gemm, Handle, HandleOptions, PackInput, PackOptions};

#[test]
fn a_device_that_is_not_there_is_refused() {
    let options = HandleOptions::new(Device::Cuda).device_id(1000);
    let gpu = Handle::new(Device::Cuda).is_ok();
    match Handle::with_options(&options) {
        Err(Error::InvalidArgument(text)) if gpu => assert!(text.starts_with("device_id is 1000"), "{text}"),
        Err(Error::NotSupported(text)) if !gpu => assert!(!text.is_empty()),
        other => panic!("{other:?}, expected MARLIN_INVALID_ARGUMENT with a GPU, MARLIN_NOT_SUPPORTED without"),
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_gpu_says_what_it_is() {
    let handle = Handle::new(Device::Cuda).unwrap();
    let info = handle.info().unwrap();
    assert_eq!(info.device, Device::Cuda);
    assert!(info.compute_capability >= 80 && info.sm_count > 0, "{info:?}");
    handle.set_sm_count(info.sm_count.into()).unwrap();
    handle.set_dependent_launch(true).unwrap();
    assert!(handle.dependent_launch().unwrap());
    assert_eq!(Handle::new(Device::Default).unwrap().info().unwrap().device, Device::Cuda);
}

#[test]
#[ignore = "needs a CUDA device"]
fn slices_are_refused_by_a_gpu() {
    let gpu = Handle::new(Device::Cuda).unwrap();
    let w = vec![1.0f32; 64 * 8];
    let (options, input) = (PackOptions::new(64, 8, 32), PackInput::new(&w));
    assert!(gpu.pack_size(&options, &input).unwrap() > 256);
    let text = |error: Error| match error {
        Error::InvalidArgument(text) => text,
        other => panic!("{other}, expected MARLIN_INVALID_ARGUMENT"),
    };
    let refused = "the handle is of a GPU, expected a CPU handle for slices: call ";
    assert_eq!(text(gpu.pack(&options, &input).unwrap_err()), format!("{refused}pack_raw"));
    assert_eq!(text(gpu.attach(AlignedBytes::zeroed(256).unwrap()).unwrap_err()), format!("{refused}attach_raw"));
    let weights = Handle::new(Device::Cpu).unwrap().pack(&options, &input).unwrap();
    let mut c = [0.0f32; 8];
    assert_eq!(
        text(gpu.gemm(&Gemm::new(1), &[0.0f32; 64], &weights, &mut c).unwrap_err()),
        format!("{refused}gemm_raw")
    );
    // Weights of another device are the library's to refuse.
    assert!(!text(gpu.query::<f32, f32>(&Gemm::new(1), &weights).unwrap_err()).is_empty());
}
