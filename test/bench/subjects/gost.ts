import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { drive } from '../load.ts'
import { freePort, root, start } from '../processes.ts'
import { reachable } from './reachable.ts'
import type { Subject } from './subject.ts'

const cache = join(root, 'node_modules/.cache/lambda-nat-proxy/go')
const program = join(cache, 'bin/gost')
const module_ = 'github.com/go-gost/gost/cmd/gost@latest'
const buildLimitMs = 600_000

/** The same road in Go: SOCKS5 over QUIC between two processes. */
export const gost: Subject = {
  name: 'gost',
  title: 'gost, SOCKS5 over QUIC in Go',
  async prepare() {
    if (existsSync(program)) return
    await promisify(execFile)('go', ['install', module_], {
      env: { ...process.env, GOBIN: join(cache, 'bin'), GOPATH: cache, GOFLAGS: '-modcacherw' },
      timeout: buildLimitMs,
    })
  },
  async start(origin) {
    const [port, socks] = [await freePort(), await freePort()]
    const road = `socks5+quic://127.0.0.1:${port}?notls=true`
    const exit = start([program, '-L', road])
    const client = start([program, '-L', `socks5://127.0.0.1:${socks}`, '-F', `${road}&keepalive=true`])
    await reachable(socks)
    return {
      parts: () => ({ exit: [exit.pid], client: [client.pid] }),
      run: load => drive({ ...load, origin, socks }),
      async stop() {
        await Promise.all([exit.stop(), client.stop()])
      },
    }
  },
}
