//! Multiplies of all float types, strides, bias and sources; what the binding itself refuses.
#![allow(missing_docs)]

mod support;

use half::{bf16, f16};
use libmarlin::{
    Array, Device, Error, Gemm, Handle, Layout, Math, Order, PackInput, PackOptions, Result, Source, Sparsity, Type,
    Unpack, PER_COLUMN,
};
use support::{activations, check_product, cpu};

fn values(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 53 + i / 7) % 113) as f32 / 56.0 - 1.0).collect()
}

fn text_of<T>(result: Result<T>) -> String {
    match result {
        Err(Error::InvalidArgument(text)) => text,
        Err(other) => panic!("{other}, expected MARLIN_INVALID_ARGUMENT"),
        Ok(_) => panic!("a success, expected MARLIN_INVALID_ARGUMENT"),
    }
}

#[test]
fn every_pair_of_float_types_multiplies() {
    let handle = cpu();
    let (m, k, n) = (5, 200, 72);
    let w = values(k * n);
    let weights = handle.pack(&PackOptions::new(k, n, 64).order(Order::NxK), &PackInput::new(&w)).unwrap();
    let a = activations(m * k);
    let a16: Vec<f16> = a.iter().map(|&x| f16::from_f32(x)).collect();
    let a_bf: Vec<bf16> = a.iter().map(|&x| bf16::from_f32(x)).collect();
    let gemm = Gemm::new(m);

    let mut c = vec![f32::NAN; m * n];
    handle.gemm(&gemm, &a, &weights, &mut c).unwrap();
    check_product(&handle, &weights, &a, None, &c, 0.0);

    let mut c = vec![f32::NAN; m * n];
    handle.gemm(&gemm, &a16, &weights, &mut c).unwrap();
    check_product(&handle, &weights, &a, None, &c, 0.0);

    let mut c = vec![f16::NAN; m * n];
    handle.gemm(&gemm, &a16, &weights, &mut c).unwrap();
    let c: Vec<f32> = c.iter().map(|x| x.to_f32()).collect();
    check_product(&handle, &weights, &a, None, &c, 2f64.powi(-11));

    let mut c = vec![bf16::NAN; m * n];
    handle.gemm(&gemm, &a_bf, &weights, &mut c).unwrap();
    let c: Vec<f32> = c.iter().map(|x| x.to_f32()).collect();
    check_product(&handle, &weights, &a, None, &c, 2f64.powi(-8));
}

#[test]
fn strides_and_bias_are_kept_and_gaps_left_alone() {
    let handle = cpu();
    let (m, k, n, lda, ldc) = (3, 96, 40, 101, 43);
    let weights = handle.pack(&PackOptions::new(k, n, 32), &PackInput::new(&values(k * n))).unwrap();
    let tight = activations(m * k);
    let mut a = vec![f32::NAN; (m - 1) * lda + k];
    for (row, values) in tight.chunks(k).enumerate() {
        a[row * lda..row * lda + k].copy_from_slice(values);
    }
    let bias = values(n);
    let mut c = vec![-7.0f32; (m - 1) * ldc + n];
    handle.gemm(&Gemm::new(m).lda(lda).ldc(ldc).bias(&bias), &a, &weights, &mut c).unwrap();
    let rows: Vec<f32> = (0..m).flat_map(|row| c[row * ldc..row * ldc + n].to_vec()).collect();
    check_product(&handle, &weights, &tight, Some(&bias), &rows, 0.0);
    for row in 0..m - 1 {
        assert_eq!(c[row * ldc + n..(row + 1) * ldc], [-7.0; 3]);
    }
}

#[test]
fn sparse_weights_multiply_and_nothing_multiplies_to_nothing() {
    let handle = cpu();
    let (m, k, n) = (2, 256, 24);
    let options = PackOptions::new(k, n, PER_COLUMN).sparsity(Sparsity::Select24);
    let weights = handle.pack(&options, &PackInput::new(&values(k * n))).unwrap();
    assert_eq!(weights.layout(), Layout::CpuSparse24Draft);
    let a = activations(m * k);
    let mut c = vec![f32::NAN; m * n];
    handle.sp_gemm(&Gemm::new(m), &a, &weights, &mut c).unwrap();
    check_product(&handle, &weights, &a, None, &c, 0.0);
    handle.sp_gemm::<f32, f32>(&Gemm::new(0), &[], &weights, &mut []).unwrap();
}

#[test]
fn unpacking_gives_codes_scales_and_zeros_back() {
    let handle = cpu();
    let (k, n) = (64, 8);
    let codes: Vec<u8> = (0..k * n).map(|i| (i * 5 % 16) as u8).collect();
    let scales: Vec<bf16> = (0..2 * n).map(|i| bf16::from_f32(1.0 + i as f32)).collect();
    let zeros: Vec<u8> = (0..2 * n).map(|i| i as u8).collect();
    let options = PackOptions::new(k, n, 32).scale_type(Type::Bf16);
    let weights = handle.pack(&options, &PackInput::new(&codes).scales(&scales).zeros(&zeros)).unwrap();
    assert_eq!((weights.weight_type(), weights.zero_type()), (Type::U4, Type::U8));
    assert_eq!(weights.groups_packed(), 2);
    let mut got = (vec![0u8; k * n], vec![bf16::ZERO; 2 * n], vec![0u8; 2 * n]);
    handle.unpack(&weights, Unpack::new(Order::KxN).dst(&mut got.0).scales(&mut got.1).zeros(&mut got.2)).unwrap();
    assert_eq!(got, (codes, scales, zeros));
    let mut wrong = vec![f16::ZERO; 2 * n];
    assert_eq!(
        text_of(handle.unpack(&weights, Unpack::new(Order::KxN).scales(&mut wrong))),
        "scales has elements of type F16, expected Bf16 as stored"
    );
}

#[test]
fn words_and_bytes_at_odd_addresses_are_sources() {
    let handle = cpu();
    let (k, n) = (64, 8);
    let words: Vec<i32> = (0..k / 8 * n).map(|i| 0x7654_3210i32.rotate_left(4 * i as u32)).collect();
    let scales = vec![f16::ONE; n];
    let options = PackOptions::new(k, n, 64).source(Source::GptqV2);
    let weights = handle.pack(&options, &PackInput::new(&words).scales(&scales)).unwrap();
    let mut bytes = vec![0u8];
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    let odd = Array::from_bytes::<i32>(&bytes[1..]);
    let again = handle.pack(&options, &PackInput::new(odd).scales(&scales)).unwrap();
    assert_eq!(weights.as_bytes(), again.as_bytes());
}

#[test]
fn the_query_names_the_kernel_and_options_stick() {
    let handle = cpu();
    let weights = handle.pack(&PackOptions::new(64, 8, 32), &PackInput::new(&values(64 * 8))).unwrap();
    let info = handle.query::<f16, f32>(&Gemm::new(4), &weights).unwrap();
    assert!(!info.kernel.is_empty());
    assert_eq!(handle.num_threads().unwrap(), 2);
    handle.set_math(Math::BatchInvariant).unwrap();
    assert_eq!(handle.math().unwrap(), Math::BatchInvariant);
    handle.set_kernel(info.kernel_number.into()).unwrap();
    assert_eq!(handle.kernel().unwrap(), i64::from(info.kernel_number));
    handle.set_kernel(0).unwrap();
    assert!(handle.stream().unwrap().is_null());
    let about = handle.info().unwrap();
    assert_eq!((about.device, about.num_threads), (Device::Cpu, 2));
    assert!(!about.name.is_empty());
}

#[test]
fn slices_that_are_too_short_are_refused_and_wrong_shapes_first() {
    let handle = cpu();
    let (k, n) = (64, 8);
    let weights = handle.pack(&PackOptions::new(k, n, 32), &PackInput::new(&values(k * n))).unwrap();
    let a = vec![1.0f32; 2 * k];
    let mut c = vec![7.0f32; 2 * n];
    let run = |gemm: Gemm<'_>, a: &[f32], c: &mut [f32]| text_of(handle.gemm(&gemm, a, &weights, c));
    assert_eq!(run(Gemm::new(3), &a, &mut c), "a has 128 elements, expected (m - 1) * lda + k = 192 or more");
    assert_eq!(
        run(Gemm::new(2).ldc(9), &a, &mut c[..16]),
        "c has 16 elements, expected (m - 1) * ldc + n = 17 or more"
    );
    assert_eq!(run(Gemm::new(2).bias(&a[..7]), &a, &mut c), "bias has 7 elements, expected n = 8 or more");
    assert_eq!(
        run(Gemm::new(2).bias(&[1u8; 8]), &a, &mut c),
        "bias has elements of type U4, expected f16, bf16 or f32"
    );
    // What the library refuses, it refuses in its own words, however short the slices are.
    assert_eq!(run(Gemm::new(2).lda(63), &a[..1], &mut c), "desc.lda is 63, expected 0 or >= k = 64");
    assert!(run(Gemm::new(usize::MAX), &a, &mut c).starts_with("desc.m is 9223372036854775807, expected"));
    assert_eq!(c, [7.0; 16], "nothing was written");
}

#[test]
fn inputs_of_the_wrong_type_or_place_are_refused() {
    let handle = cpu();
    let options = PackOptions::new(64, 8, 32);
    let w = values(64 * 8);
    assert_eq!(
        text_of(handle.pack(&options, &PackInput::new(&w).importance(&vec![f16::ONE; 64]))),
        "importance has elements of type F16, expected f32"
    );
    assert_eq!(
        text_of(handle.pack(&options, &PackInput::new(&w).g_idx(&vec![0.0f32; 64]))),
        "g_idx has elements of type F32, expected i32"
    );
    // SAFETY: the values live to the end of this function.
    let raw = unsafe { Array::from_raw(w.as_ptr(), w.len()) };
    assert_eq!(
        text_of(handle.pack(&options, &PackInput::new(raw).importance(&vec![1.0f32; 64]))),
        "importance is host memory, expected raw memory as src is"
    );
    let plain = handle.pack(&options, &PackInput::new(&w)).unwrap();
    assert_eq!(handle.pack(&options, &PackInput::new(raw)).unwrap().as_bytes(), plain.as_bytes());
}

#[test]
fn raw_pointers_do_what_slices_do() {
    let handle = cpu();
    let (k, n) = (64, 8);
    let w = values(k * n);
    let (options, input) = (PackOptions::new(k, n, 32), PackInput::new(&w));
    let mut memory = libmarlin::AlignedBytes::zeroed(handle.pack_size(&options, &input).unwrap()).unwrap();
    let a = activations(k);
    let mut c = vec![f32::NAN; n];
    // SAFETY: all of it is alive to the end of this function, and large enough.
    let weights = unsafe {
        let (start, size) = (memory.as_mut_ptr().cast(), memory.len());
        let packed = handle.pack_raw(&options, &input, start, size).unwrap();
        let weights = handle.attach_raw(start, size).unwrap();
        assert_eq!(packed.as_bytes(), weights.as_bytes());
        handle.gemm_raw(&Gemm::new(1), a.as_ptr(), &weights, c.as_mut_ptr()).unwrap();
        weights
    };
    check_product(&handle, &weights, &a, None, &c, 0.0);
    assert!(!weights.is_sparse());
}

#[test]
fn handles_of_many_threads_share_weights_and_agree() {
    let (m, k, n) = (4, 256, 96);
    let weights = cpu().pack(&PackOptions::new(k, n, 128), &PackInput::new(&values(k * n))).unwrap();
    let a = activations(m * k);
    let results: Vec<Vec<f32>> = std::thread::scope(|scope| {
        let multiply = || {
            let handle = Handle::new(Device::Cpu).unwrap();
            let mut c = vec![0.0f32; m * n];
            for _ in 0..20 {
                handle.gemm(&Gemm::new(m), &a, &weights, &mut c).unwrap();
            }
            c
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(multiply)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    check_product(&cpu(), &weights, &a, None, &results[0], 0.0);
    assert!(results.iter().all(|result| *result == results[0]));
}
