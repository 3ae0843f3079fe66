import { CodedError } from '../../tunnel/net/coded-error.ts'
import { systemReason } from '../input/system-error.ts'
import { exitCodes } from './exit-codes.ts'

/**
 * Keeps the process running, so that it cleans up, when the reader of its output leaves or its terminal closes. Another
 * write error, such as a full disk, is passed to `onLost` once, and the process ends as failed.
 */
export function watchOutput(onLost: (error: CodedError) => void): void {
  process.stderr.on('error', () => {})
  let isLost = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isLost || readerLeft.includes(error.code ?? '')) return
    isLost = true
    const message = `the output cannot be written: ${systemReason(error)}`
    onLost(new CodedError('E_OUTPUT_UNWRITABLE', message, { cause: error }))
  })
  process.on('exit', code => {
    if (isLost && code === exitCodes.done) process.exitCode = exitCodes.failed
  })
}

// --- internal ---

/** Of a pipe, a socket and a terminal. */
const readerLeft = ['EPIPE', 'ECONNRESET', 'EIO']
