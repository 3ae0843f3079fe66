import { CodedError, type CodedErrorOptions } from '../../tunnel/net/coded-error.ts'

/** What the person asked for cannot be done as asked; the message says what to change. Exit code 2. */
export class UsageError<Code extends string = string> extends CodedError<Code | 'E_USAGE'> {
  override readonly name: string = 'UsageError'

  constructor(message: string, options: CodedErrorOptions & { code?: Code } = {}) {
    super(options.code ?? 'E_USAGE', message, options)
  }
}
