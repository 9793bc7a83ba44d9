//! Compiles the `.proto` files with `protox`, so that nobody has to install `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let descriptors = protox::compile(["execution/v1/execution.proto"], ["."])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    println!("cargo:rerun-if-changed=execution");
    Ok(())
}
