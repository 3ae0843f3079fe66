import type { Engine } from '../../engine.ts'
import { loadBinding } from './binding.ts'
import { NativeConnection } from './connection.ts'
import { NativeSocket } from './socket.ts'

/** The engine of native/: its own socket, packets and congestion control in Rust. Undefined where it was not built. */
export function nativeEngine(): Engine | undefined {
  const binding = loadBinding()
  if (!binding) return undefined
  return {
    name: 'native',
    version: binding.version(),
    async openSocket(options = {}) {
      return new NativeSocket(binding, options)
    },
    async connect(options) {
      const { socket } = options
      if (!(socket instanceof NativeSocket)) throw new TypeError('the socket was opened by another engine')
      return new NativeConnection(socket, options)
    },
  }
}
