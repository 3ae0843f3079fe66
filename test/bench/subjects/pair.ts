import { join } from 'node:path'
import { build } from 'esbuild'
import { createIdentity } from '../../../tunnel/identity.ts'
import { loadLimitMs } from '../load.ts'
import { node, root, type Started, start, withKey } from '../processes.ts'
import type { EndSpec, Transfer } from '../programs/end.ts'
import type { Running, Subject } from './subject.ts'

const bundles = join(root, 'node_modules/.cache/lambda-nat-proxy/bench')

/**
 * Two processes that are the two ends of one QUIC connection and nothing else: the client's end runs a
 * program on Bun, the function's end runs the same program on Node, bundled as the function is.
 */
export function pair(options: { name: string; title: string; nodeOptions?: string[] }): Subject {
  const { name, title, nodeOptions = [] } = options
  const program = join(root, `test/bench/programs/${name}.ts`)
  const bundle = join(bundles, `${name}.cjs`)
  return {
    name,
    title,
    oneStream: true,
    async prepare() {
      await build({
        absWorkingDir: root,
        entryPoints: [program],
        outfile: bundle,
        bundle: true,
        minify: true,
        platform: 'node',
        target: 'node24',
        format: 'cjs',
        alias: { '@matrixai/quic/dist/native/quiche.js': '@matrixai/quic-linux-x64/node.napi.node' },
        loader: { '.node': 'copy' },
        external: ['bun:ffi'],
        logLevel: 'error',
      })
    },
    start: () => startPair([node, ...nodeOptions, bundle], [process.execPath, program]),
  }
}

// --- internal ---

async function startPair(exitCommand: string[], clientCommand: string[]): Promise<Running> {
  const [exitIdentity, clientIdentity] = await Promise.all([createIdentity(), createIdentity()])
  const spec = (role: EndSpec['role'], own: typeof exitIdentity, other: typeof exitIdentity): EndSpec => ({
    role,
    key: String(own.key),
    certificate: String(own.certificate),
    pin: other.fingerprint,
  })
  const exit = start(exitCommand, { spec: spec('dial', exitIdentity, clientIdentity) })
  const client = start(clientCommand, { spec: spec('answer', clientIdentity, exitIdentity) })
  const portOf = (end: Started) => end.hear('it had a port', withKey<{ port: number }>('port'))
  const [exitPort, clientPort] = await Promise.all([portOf(exit), portOf(client)])
  client.tell({ peer: exitPort.port })
  exit.tell({ peer: clientPort.port })
  await Promise.all([exit, client].map(end => end.hear('the handshake', withKey('ready'))))

  return {
    parts: () => ({ exit: [exit.pid], client: [client.pid] }),
    async run({ action, bytes }) {
      const [sender, receiver] = action === 'put' ? [client, exit] : [exit, client]
      sender.tell({ send: true, bytes } satisfies Transfer)
      const { received, seconds } = await receiver.hear(
        'the transfer was done',
        withKey<{ received: number; seconds: number }>('received'),
        loadLimitMs,
      )
      const failures = received === bytes ? 0 : 1
      return {
        seconds,
        bytes: received,
        failures,
        connectMs: [],
        firstByteMs: [],
        fairness: 1,
        cpuSeconds: 0,
      }
    },
    async stop() {
      await Promise.all([exit.stop(), client.stop()])
    },
  }
}
