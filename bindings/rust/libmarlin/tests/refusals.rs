//! The bad calls of tests/golden/refusals.json: status and sentence are those of every other language.
#![allow(missing_docs)]

mod support;

use half::f16;
use libmarlin::{
    AlignedBytes, CpuIsa, Device, Error, Gemm, Handle, HandleOptions, Math, PackInput, PackOptions, Result, Sparsity,
    Weights,
};
use serde_json::Value;
use support::{cpu, read_bytes, read_json};

fn number(case: &Value, key: &str, otherwise: i64) -> i64 {
    case.get(key).map_or(otherwise, |value| value.as_i64().unwrap())
}

fn float(value: &Value) -> f32 {
    match value.as_str() {
        Some(text) => text.parse().unwrap(),
        None => value.as_f64().unwrap() as f32,
    }
}

fn create(case: &Value) -> Result<()> {
    let options = HandleOptions::new(Device::Cpu).device_id(number(case, "device_id", 0) as i32).num_threads(number(
        case,
        "num_threads",
        0,
    )
        as i32);
    Handle::with_options(&options).map(|_| ())
}

fn set_option(handle: &Handle, case: &Value) -> Result<()> {
    let value = number(case, "value", 0);
    match case["option"].as_str().unwrap() {
        "MATH" => handle.set_math(Math::from_number(value as i32)),
        "SM_COUNT" => handle.set_sm_count(value),
        "NUM_THREADS" => handle.set_num_threads(value),
        "CPU_ISA" => handle.set_cpu_isa(CpuIsa::from_number(value as i32)),
        "KERNEL" => handle.set_kernel(value),
        other => panic!("option {other} is not known to this test"),
    }
}

fn pack(handle: &Handle, case: &Value) -> Result<()> {
    let (k, n) = (64, 16);
    let known = ["name", "call", "status", "text", "group_size", "sparsity", "src_type", "value", "code", "scale"];
    for key in case.as_object().unwrap().keys() {
        assert!(known.contains(&key.as_str()), "key {key} is not known to this test");
    }
    let options = PackOptions::new(k, n, number(case, "group_size", 32)).sparsity(
        match case.get("sparsity").map(|value| value.as_str().unwrap()) {
            None => Sparsity::Dense,
            Some("already_24") => Sparsity::Already24,
            Some(other) => panic!("sparsity {other} is not known to this test"),
        },
    );
    let at =
        |spoilt: &Value, row: &str| (spoilt[row].as_u64().unwrap() * n as u64 + spoilt["n"].as_u64().unwrap()) as usize;
    match case.get("src_type").map_or("f32", |value| value.as_str().unwrap()) {
        "f32" => {
            let mut values = vec![1.0f32; k * n];
            if let Some(spoilt) = case.get("value") {
                values[at(spoilt, "k")] = float(&spoilt["is"]);
            }
            handle.pack(&options, &PackInput::new(&values)).map(|_| ())
        }
        "s4" => {
            let mut codes = vec![1i8; k * n];
            let mut scales = vec![f16::ONE; 2 * n];
            if let Some(spoilt) = case.get("code") {
                codes[at(spoilt, "k")] = spoilt["is"].as_i64().unwrap() as i8;
            }
            if let Some(spoilt) = case.get("scale") {
                scales[at(spoilt, "group")] = f16::from_f32(float(&spoilt["is"]));
            }
            handle.pack(&options, &PackInput::new(&codes).scales(&scales)).map(|_| ())
        }
        other => panic!("src_type {other} is not known to this test"),
    }
}

fn attach(handle: &Handle, case: &Value) -> Result<Weights> {
    let mut bytes = read_bytes(case["file"].as_str().unwrap());
    if let Some(byte) = case.get("byte") {
        bytes[byte.as_u64().unwrap() as usize] ^= case["xor"].as_u64().unwrap() as u8;
    }
    if let Some(size) = case.get("size") {
        bytes = AlignedBytes::copy_of(&bytes[..size.as_u64().unwrap() as usize])?;
    }
    handle.attach(bytes)
}

fn multiply(handle: &Handle, case: &Value) -> Result<()> {
    let weights = attach(handle, case).unwrap();
    let a = vec![f16::ZERO; 3 * weights.k()];
    let mut c = vec![0.0f32; 3 * weights.n()];
    if case["sparse"].as_bool().unwrap() {
        handle.sp_gemm(&Gemm::new(3), &a, &weights, &mut c)
    } else {
        handle.gemm(&Gemm::new(3), &a, &weights, &mut c)
    }
}

#[test]
fn the_same_bad_call_gives_the_same_words() {
    let handle = cpu();
    let refusals = read_json("refusals.json");
    let cases = refusals["cases"].as_array().unwrap();
    assert!(cases.len() >= 10);
    for case in cases {
        let error = match case["call"].as_str().unwrap() {
            "handle" => create(case),
            "option" => set_option(&handle, case),
            "pack" => pack(&handle, case),
            "attach" => attach(&handle, case).map(|_| ()),
            "gemm" => multiply(&handle, case),
            other => panic!("call {other} is not known to this test"),
        }
        .expect_err(&format!("{} is refused", case["name"]));
        assert_eq!(error.name(), case["status"].as_str().unwrap(), "{}", case["name"]);
        assert_eq!(error.text(), case["text"].as_str().unwrap(), "{}", case["name"]);
        handle.info().expect("the handle still works");
    }
}

#[test]
fn every_status_is_a_variant_with_the_libraries_name() {
    let text = String::new;
    let errors = [
        (Error::InvalidArgument(text()), "MARLIN_INVALID_ARGUMENT"),
        (Error::NotSupported(text()), "MARLIN_NOT_SUPPORTED"),
        (Error::OutOfMemory(text()), "MARLIN_OUT_OF_MEMORY"),
        (Error::WorkspaceTooSmall(text()), "MARLIN_WORKSPACE_TOO_SMALL"),
        (Error::BadPackedData(text()), "MARLIN_BAD_PACKED_DATA"),
        (Error::NotSparse(text()), "MARLIN_NOT_SPARSE"),
        (Error::DeviceError(text()), "MARLIN_DEVICE_ERROR"),
        (Error::InternalError(text()), "MARLIN_INTERNAL_ERROR"),
    ];
    for (number, (error, name)) in errors.iter().enumerate() {
        assert_eq!(error.status() as usize, number + 1);
        assert_eq!(error.name(), *name);
    }
    assert_eq!(Error::NotSparse("rows 0 .. 3".into()).to_string(), "MARLIN_NOT_SPARSE: rows 0 .. 3");
}
