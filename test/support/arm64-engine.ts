import { buildAllNative } from '../../native/build.ts'
import { ToolchainError } from '../../native/toolchain.ts'

/**
 * Builds the native engine for Lambda's arm64, by Zig as for a release. False where there is no toolchain for it: CI
 * fails then, and anybody else's run says loudly what is left out.
 */
export async function needArm64Engine(): Promise<boolean> {
  try {
    await buildAllNative(['linux-arm64'])
    return true
  } catch (error) {
    if (!(error instanceof ToolchainError) || process.env.CI === 'true') throw error
    const what =
      'the native engine for linux-arm64 cannot be built on this machine, and is needed for these tests'
    console.error(`\n*** LEFT OUT: ${process.argv[1]}: ${what}: ${error.message}\n`)
    return false
  }
}
