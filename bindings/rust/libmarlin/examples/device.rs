//! Says what device a handle gets: `cargo run --example device [cpu|cuda]`; fails where there is no such device.

use libmarlin::{build_info, Device, Handle};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = match std::env::args().nth(1).as_deref() {
        None => Device::Default,
        Some("cpu") => Device::Cpu,
        Some("cuda") => Device::Cuda,
        Some(other) => return Err(format!("the device is {other}, expected cpu or cuda").into()),
    };
    println!("{}", build_info());
    println!("{:#?}", Handle::new(device)?.info()?);
    Ok(())
}
