import { buildAllNative } from '../../native/build.ts'
import { ToolchainError } from '../../native/toolchain.ts'
import { needVenv } from './need.ts'

/**
 * Builds the native engine for Lambda's arm64, by Zig as for a release. False where there is no toolchain for it, which
 * is said loudly; CI fails then, but where the standard library for arm64 cannot be had: no package brings that to
 * a Rust that is not rustup's.
 */
export async function needArm64Engine(): Promise<boolean> {
  needVenv()
  try {
    await buildAllNative(['linux-arm64'])
    return true
  } catch (error) {
    if (!(error instanceof ToolchainError)) throw error
    if (process.env.CI === 'true' && error.code !== 'E_NATIVE_NO_TARGET') throw error
    const what =
      'the native engine for linux-arm64 cannot be built on this machine, and is needed for these tests'
    console.error(`\n*** LEFT OUT: ${process.argv[1]}: ${what}: ${error.message}\n`)
    return false
  }
}
