import { builtNative } from '../../native/bundle.ts'

/** A platform that an executable is made for. */
export interface Target {
  name: string
  /** What Bun calls it. */
  bun: Bun.Build.CompileTarget
  /** The package of quiche's binding, where there is one. */
  binding?: string
  /** Node's names for it, and the native engine's. */
  platform: string
  /** What the name of an executable ends in. */
  suffix: string
}

export const targets: readonly Target[] = [
  {
    name: 'linux-x64',
    // Processors from before 2013 too: AVX2 is not asked for.
    bun: 'bun-linux-x64-baseline',
    binding: '@matrixai/quic-linux-x64',
    platform: 'linux-x64',
    suffix: '',
  },
  {
    name: 'linux-arm64',
    bun: 'bun-linux-arm64',
    platform: 'linux-arm64',
    suffix: '',
  },
  {
    name: 'darwin-arm64',
    bun: 'bun-darwin-arm64',
    binding: '@matrixai/quic-darwin-arm64',
    platform: 'darwin-arm64',
    suffix: '',
  },
  {
    name: 'darwin-x64',
    bun: 'bun-darwin-x64',
    binding: '@matrixai/quic-darwin-x64',
    platform: 'darwin-x64',
    suffix: '',
  },
  {
    name: 'windows-x64',
    bun: 'bun-windows-x64-baseline',
    binding: '@matrixai/quic-win32-x64',
    platform: 'win32-x64',
    suffix: '.exe',
  },
]

/** The platform that this is; undefined when there is no executable for it. */
export const thisPlatform = (): Target | undefined =>
  targets.find(({ platform }) => platform === `${process.platform}-${process.arch}`)

/** Whether some QUIC engine is there for it: quiche from npm, or the native one where it was built. */
export const hasEngine = ({ binding, platform }: Target): boolean =>
  binding !== undefined || builtNative(platform) !== undefined
