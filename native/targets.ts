/** A platform that the engine is built for. */
export interface NativeTarget {
  /** Node's names: `<platform>-<arch>`, as in dist/native/. */
  name: string
  /** Rust's name. */
  triple: string
  /** What a cross build is linked for: the glibc of Amazon Linux 2, which all later ones carry on. */
  zigTriple: string
  /** What cargo calls the library. */
  library: string
}

export const nativeTargets: readonly NativeTarget[] = [
  {
    name: 'linux-x64',
    triple: 'x86_64-unknown-linux-gnu',
    zigTriple: 'x86_64-unknown-linux-gnu.2.26',
    library: 'libengine.so',
  },
  {
    name: 'linux-arm64',
    triple: 'aarch64-unknown-linux-gnu',
    zigTriple: 'aarch64-unknown-linux-gnu.2.26',
    library: 'libengine.so',
  },
  {
    name: 'darwin-x64',
    triple: 'x86_64-apple-darwin',
    zigTriple: 'x86_64-apple-darwin',
    library: 'libengine.dylib',
  },
  {
    name: 'darwin-arm64',
    triple: 'aarch64-apple-darwin',
    zigTriple: 'aarch64-apple-darwin',
    library: 'libengine.dylib',
  },
  {
    name: 'win32-x64',
    triple: 'x86_64-pc-windows-gnu',
    zigTriple: 'x86_64-pc-windows-gnu',
    library: 'engine.dll',
  },
]
