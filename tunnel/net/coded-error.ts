import { printable } from './printable.ts'

/** An error as data. Programs compare `code`; `message` says what happened, `hint` what to do about it. */
export interface ErrorData {
  code: string
  message: string
  hint?: string
}

export interface CodedErrorOptions {
  hint?: string | undefined
  cause?: unknown
}

/** The base of every error of ours. A room extends it with the union of its codes (`E_…`). */
export class CodedError<Code extends string = string> extends Error {
  override name = 'CodedError'
  readonly hint: string | undefined

  constructor(
    readonly code: Code,
    message: string,
    { hint, cause }: CodedErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.hint = hint
  }

  toJSON(): ErrorData {
    return { code: this.code, message: this.message, ...(this.hint !== undefined && { hint: this.hint }) }
  }
}

/** What any thrown value says. An error that is not ours is E_UNEXPECTED, or the system's own code (ECONNREFUSED). */
export function errorData(error: unknown): ErrorData {
  if (error instanceof CodedError) return error.toJSON()
  if (!(error instanceof Error)) return { code: 'E_UNEXPECTED', message: printable(String(error)) }
  const { code } = error as Error & { code?: unknown }
  return {
    code: typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : 'E_UNEXPECTED',
    message: printable(error.message || error.name),
  }
}
