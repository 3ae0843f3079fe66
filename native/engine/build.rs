//! What napi needs of the linker on each platform.
fn main() {
    napi_build::setup();
}
