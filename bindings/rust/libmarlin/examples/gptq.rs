//! Reads a GPTQ layer from a safetensors file, packs it, multiplies by it and checks the product in double precision.
//!
//! `cargo run --example gptq [FILE LAYER]`, such as `model.safetensors model.layers.0.mlp.up_proj`. Without arguments
//! it makes a small file of its own first.

use half::f16;
use libmarlin::{Array, Device, Gemm, Handle, PackInput, PackOptions, Source, PER_COLUMN};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Writes a layer as AutoGPTQ does: words of eight codes along k, zero points less 1, and the group of each row.
fn write_layer(path: &Path, layer: &str) -> Result<(), Box<dyn Error>> {
    let (k, n, group_size) = (256, 64, 64);
    let groups = k / group_size;
    let word = |codes: [u32; 8]| codes.iter().rev().fold(0, |word, code| word << 4 | code);
    let bytes = |words: Vec<u32>| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let code = |row: usize, column: usize| (row * 7 + column * 3 + row * column % 5) as u32 % 16;
    let eight = |first: usize| std::array::from_fn::<usize, 8, _>(|i| first + i);
    let qweight: Vec<u32> = (0..k / 8 * n).map(|i| word(eight(i / n * 8).map(|row| code(row, i % n)))).collect();
    let qzeros: Vec<u32> = (0..groups * n / 8)
        .map(|i| word(eight(i % (n / 8) * 8).map(|column| (column + i / (n / 8)) as u32 % 16)))
        .collect();
    let scales = (0..groups * n).flat_map(|i| f16::from_f32((1 + i % 9) as f32 / 64.0).to_le_bytes());
    let g_idx = (0..k as u32).map(|row| row * 5 % groups as u32).collect(); // act-order: any row, any group
    let tensors = [
        ("qweight", Dtype::I32, vec![k / 8, n], bytes(qweight)),
        ("qzeros", Dtype::I32, vec![groups, n / 8], bytes(qzeros)),
        ("scales", Dtype::F16, vec![groups, n], scales.collect()),
        ("g_idx", Dtype::I32, vec![k], bytes(g_idx)),
    ];
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        Ok((format!("{layer}.{name}"), TensorView::new(*dtype, shape.clone(), data)?))
    });
    let views: Vec<_> = views.collect::<Result<_, safetensors::SafeTensorError>>()?;
    std::fs::write(path, safetensors::serialize(views, &None)?)?;
    Ok(())
}

fn words(tensor: &TensorView<'_>) -> Vec<u32> {
    tensor.data().chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
}

/// The weights of the layer in double precision, k x n, straight from the format's definition.
fn dequantize(qweight: &[u32], qzeros: &[u32], scales: &[f16], g_idx: &[u32], n: usize) -> Vec<f64> {
    let nibble = |word: u32, i: usize| (word >> (4 * i) & 15) as f64;
    let weight = |row: usize, column: usize| {
        let group = g_idx[row] as usize;
        let code = nibble(qweight[row / 8 * n + column], row % 8);
        let zero = nibble(qzeros[group * (n / 8) + column / 8], column % 8) + 1.0;
        (code - zero) * scales[group * n + column].to_f64()
    };
    (0..g_idx.len() * n).map(|i| weight(i / n, i % n)).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let own = std::env::temp_dir().join(format!("libmarlin-gptq-{}.safetensors", std::process::id()));
    let path = arguments.next().map_or(own.clone(), PathBuf::from);
    let layer = arguments.next().unwrap_or("layer".into());
    if path == own {
        write_layer(&path, &layer)?;
    }

    let file = std::fs::read(&path)?;
    let tensors = SafeTensors::deserialize(&file)?;
    let [qweight, qzeros, scales, g_idx] =
        ["qweight", "qzeros", "scales", "g_idx"].map(|name| tensors.tensor(&format!("{layer}.{name}")));
    let (qweight, qzeros, scales, g_idx) = (qweight?, qzeros?, scales?, g_idx?);
    if scales.dtype() != Dtype::F16 {
        return Err(format!("{layer}.scales is {:?}, expected F16", scales.dtype()).into());
    }
    let (k, n, groups) = (qweight.shape()[0] * 8, qweight.shape()[1], scales.shape()[0]);
    let group_size = if groups == 1 { PER_COLUMN } else { k.div_ceil(groups) as i64 };
    let indices: Vec<i32> = words(&g_idx).into_iter().map(|group| group as i32).collect();
    let in_order = indices.iter().enumerate().all(|(row, &group)| row * groups / k == group as usize);

    // The library reads the words as they lie in the file.
    let handle = Handle::new(Device::Cpu)?;
    let options = PackOptions::new(k, n, group_size).source(Source::GptqV1);
    let mut input = PackInput::new(Array::from_bytes::<i32>(qweight.data()))
        .scales(Array::from_bytes::<f16>(scales.data()))
        .zeros(Array::from_bytes::<i32>(qzeros.data()));
    if !in_order {
        input = input.g_idx(&indices);
    }
    let weights = handle.pack(&options, &input)?;

    let m = 4;
    let a: Vec<f32> = (0..m * k).map(|i| (i * 37 % 129) as f32 / 65.0 - 1.0).collect();
    let mut c = vec![0.0f32; m * n];
    handle.gemm(&Gemm::new(m), &a, &weights, &mut c)?;

    let scales: Vec<f16> =
        scales.data().chunks_exact(2).map(|scale| f16::from_le_bytes([scale[0], scale[1]])).collect();
    let w = dequantize(&words(&qweight), &words(&qzeros), &scales, &words(&g_idx), n);
    let mut worst = 0.0f64; // error as a part of its bound, k roundings of FP32
    for (i, &got) in c.iter().enumerate() {
        let products = (0..k).map(|row| f64::from(a[i / n * k + row]) * w[row * n + i % n]);
        let (exact, magnitude) = products.fold((0.0, 0.0), |(sum, magnitude), p| (sum + p, magnitude + p.abs()));
        worst = worst.max((f64::from(got) - exact).abs() / (magnitude * k as f64 * f64::from(f32::EPSILON)));
    }
    println!("{layer}: {k} x {n} weights, {groups} groups, act-order: {}", !in_order);
    println!("{} bytes packed, error {worst:.3} of the bound", weights.raw().data_size);
    if path == own {
        std::fs::remove_file(&own)?;
    }
    if worst > 1.0 {
        return Err("the product is wrong".into());
    }
    Ok(())
}
