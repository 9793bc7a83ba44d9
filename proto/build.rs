//! Compiles the `.proto` files with `protox`, so that nobody has to install `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let services = ["executions", "sessions", "processes", "files", "network", "workers"];
    let descriptors =
        protox::compile(services.map(|name| format!("execution/v1/{name}.proto")), ["."])?;
    // Bytes are handed on as they came, without a copy.
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    println!("cargo:rerun-if-changed=execution");
    Ok(())
}
