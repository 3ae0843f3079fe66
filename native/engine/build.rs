//! What the linker is told on each platform.

fn main() {
    napi_build::setup();
    // Darwin keeps a library's own name inside it, which is otherwise the path it was built at.
    if std::env::var("CARGO_CFG_TARGET_VENDOR").as_deref() == Ok("apple") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/engine.node");
    }
}
