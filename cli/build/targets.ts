/** A platform that an executable is made for: one that the QUIC library has a native binding for. */
export interface Target {
  name: string
  /** What Bun calls it. */
  bun: Bun.Build.CompileTarget
  /** The package of the native binding. */
  binding: string
  /** What the native engine calls it. */
  native: string
  /** What the name of an executable ends in. */
  suffix: string
}

export const targets: readonly Target[] = [
  {
    name: 'linux-x64',
    bun: 'bun-linux-x64',
    binding: '@matrixai/quic-linux-x64',
    native: 'linux-x64',
    suffix: '',
  },
  {
    name: 'darwin-arm64',
    bun: 'bun-darwin-arm64',
    binding: '@matrixai/quic-darwin-arm64',
    native: 'darwin-arm64',
    suffix: '',
  },
  {
    name: 'darwin-x64',
    bun: 'bun-darwin-x64',
    binding: '@matrixai/quic-darwin-x64',
    native: 'darwin-x64',
    suffix: '',
  },
  {
    name: 'windows-x64',
    bun: 'bun-windows-x64',
    binding: '@matrixai/quic-win32-x64',
    native: 'win32-x64',
    suffix: '.exe',
  },
]

/** The platform that this is; undefined when there is no binding for it. */
export const thisPlatform = (): Target | undefined =>
  targets.find(({ binding }) => binding === `@matrixai/quic-${process.platform}-${process.arch}`)
