import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import { systemReason } from './system-error.ts'
import { UsageError } from './usage-error.ts'

export type ListenErrorCode = 'E_PORT_IN_USE' | 'E_PORT_DENIED' | 'E_ADDRESS_NOT_HERE' | 'E_LISTEN'

/** What would listen. */
export type ListenerName = 'proxy' | 'dashboard' | 'S3' | 'STUN'

/** An address or a port that cannot be listened on. */
export class ListenError extends UsageError<ListenErrorCode> {
  override readonly name = 'ListenError'

  constructor(
    readonly listener: ListenerName,
    readonly port: number,
    code: ListenErrorCode,
    message: string,
    cause: unknown,
  ) {
    super(message, { code, cause })
  }
}

/** The system's error about an address to listen on, explained. */
export function listenError(
  cause: unknown,
  listener: ListenerName,
  { host, port }: { host: string; port: number },
): ListenError {
  const system = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const [code, problem] = problems[system] ?? ['E_LISTEN', `cannot be listened on: ${systemReason(cause)}`]
  const at = formatEndpoint({ address: host, port })
  return new ListenError(listener, port, code, `${at}, for the ${names[listener]}, ${problem}`, cause)
}

// --- internal ---

const names: Record<ListenerName, string> = {
  proxy: 'proxy',
  dashboard: 'dashboard',
  S3: 'S3 endpoint',
  STUN: 'STUN server',
}

const problems: Partial<Record<string, [ListenErrorCode, string]>> = {
  EADDRINUSE: ['E_PORT_IN_USE', 'is in use'],
  EACCES: ['E_PORT_DENIED', "needs administrator's rights"],
  EADDRNOTAVAIL: ['E_ADDRESS_NOT_HERE', 'is not an address of this machine'],
}
