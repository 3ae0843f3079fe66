import { realpathSync } from 'node:fs'
import { drive } from '../load.ts'
import { descendants, executableOf } from '../measure.ts'
import { node } from '../processes.ts'
import { startProxy } from '../proxy.ts'
import type { Subject } from './subject.ts'

/** The whole of this: web server → function → client → SOCKS5 → reader, as a person has it by `run --local`. */
export const chain: Subject = {
  name: 'chain',
  title: '**lambda-nat-proxy**, the whole chain',
  async start(origin) {
    const { client, socks } = await startProxy(['--local', '--allow-private'], {
      LAMBDA_NAT_PROXY_NODE: node,
    })
    const executable = realpathSync(node)
    // Beside the function the client may have started a bundler.
    const isFunction = (pid: number) => executableOf(pid) === executable
    return {
      parts: () => ({ exit: descendants(client.pid).filter(isFunction), client: [client.pid] }),
      run: load => drive({ ...load, origin, socks }),
      stop: client.stop,
    }
  },
}
