//! The golden vectors: packed here they are byte for byte the files, and multiplies by the files are right.
#![allow(missing_docs)]

mod support;

use libmarlin::{AlignedBytes, Error, Gemm, Layout, Order};
use support::{activations, check_product, cpu, golden, read_bytes};

#[test]
fn packing_gives_the_golden_bytes() {
    let handle = cpu();
    let cases = golden::cases();
    assert!(cases.len() >= 16);
    for case in cases {
        let inputs = case.inputs();
        let weights = handle.pack(&case.pack_options(), &inputs.pack_input()).unwrap();
        let expected = read_bytes(case.text("file").unwrap());
        let packed = weights.as_bytes().unwrap();
        assert_eq!(packed.len() as i64, case.number("size"), "{}", case.name());
        let differing = packed.iter().zip(expected.iter()).position(|(new, old)| new != old);
        assert_eq!(differing, None, "{}: the first byte that differs", case.name());
    }
}

#[test]
fn golden_files_are_attached_described_and_unpacked() {
    let handle = cpu();
    for case in golden::cases() {
        let weights = handle.attach(read_bytes(case.text("file").unwrap())).unwrap();
        assert_eq!((weights.k(), weights.n()), (case.k(), case.n()));
        assert_eq!(weights.group_size(), case.number("group_size"));
        assert_eq!(weights.layout(), Layout::from_number(case.number("layout_number") as i32));
        assert_eq!(weights.weight_type(), case.kind("type"));
        assert_eq!(weights.scale_type(), case.kind("scale_type"));
        assert_eq!(weights.zero_type(), case.kind("zero_type"));
        assert_eq!(weights.is_sparse(), case.is_sparse());
        assert_eq!(weights.is_act_order(), case.text("g_idx").is_some());
        if case.text("code").is_none() || case.text("sparsity") == Some("select_24") {
            continue; // the library's choice of codes: golden bytes and the numerics tests cover it
        }
        let unpacked: Vec<f32> = handle.unpack_to_vec(&weights, Order::KxN).unwrap();
        for (i, &got) in unpacked.iter().enumerate() {
            let (k, n) = (i / case.n(), i % case.n());
            let exact = case.weight(k, n, case.number("groups") as usize);
            let bound = exact.abs() * f64::from(f32::EPSILON) / 2.0;
            assert!((f64::from(got) - exact).abs() <= bound, "{} at {k}, {n}: {got}, expected {exact}", case.name());
        }
    }
}

#[test]
fn multiplies_by_the_golden_files_are_right() {
    let handle = cpu();
    let mut refused = 0;
    for case in golden::cases() {
        let weights = handle.attach(read_bytes(case.text("file").unwrap())).unwrap();
        let m = 3;
        let a = activations(m * weights.k());
        let mut c = vec![f32::NAN; m * weights.n()];
        let multiplied = if weights.is_sparse() {
            handle.sp_gemm(&Gemm::new(m), &a, &weights, &mut c)
        } else {
            handle.gemm(&Gemm::new(m), &a, &weights, &mut c)
        };
        if case.text("column_scale").is_some() {
            assert!(matches!(multiplied, Err(Error::NotSupported(_))), "{}: {multiplied:?}", case.name());
            refused += 1;
            continue;
        }
        multiplied.unwrap();
        check_product(&handle, &weights, &a, None, &c, 0.0);
    }
    assert!(refused > 0);
}

#[test]
fn bytes_survive_their_way_through_a_file() {
    let handle = cpu();
    let case = &golden::cases()[0];
    let weights = handle.attach(read_bytes(case.text("file").unwrap())).unwrap();
    let again = handle.attach(AlignedBytes::copy_of(weights.as_bytes().unwrap()).unwrap()).unwrap();
    assert_eq!(weights.as_bytes(), again.as_bytes());
    drop(weights);
    assert_eq!(again.k(), case.k());
}
