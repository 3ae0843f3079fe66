import { join } from 'node:path'
import { build } from 'esbuild'
import { builtNative, useNative } from '../../../native/bundle.ts'
import { createIdentity } from '../../../tunnel/quic/identity.ts'
import { loadLimitMs } from '../load.ts'
import type { Place } from '../place.ts'
import { cache, node, root, type Started, withKey } from '../processes.ts'
import type { EndSpec, Packets, Transfer } from '../programs/end.ts'
import type { Running, Subject } from './subject.ts'

interface PairOptions {
  name: string
  title: string
  /** Of test/bench/programs. */
  program: 'bare' | 'tunnel'
  nodeOptions?: string[]
  tuning?: EndSpec['tuning']
}

/**
 * Two processes that are the two ends of one QUIC connection and nothing else: the client's end runs a
 * program on Bun, the function's end runs the same program on Node, bundled as the function is.
 */
export function pair({ name, title, program, nodeOptions = [], tuning }: PairOptions): Subject {
  const source = join(root, `test/bench/programs/${program}.ts`)
  const bundle = join(cache, `${program}.cjs`)
  const native = builtNative('linux-x64')
  return {
    name,
    title,
    oneStream: true,
    async prepare() {
      await build({
        absWorkingDir: root,
        entryPoints: [source],
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
        plugins: native ? [useNative(native)] : [],
      })
    },
    start: place =>
      startPair(place, {
        exit: [node, ...nodeOptions, bundle],
        client: [process.execPath, source],
        tuning,
      }),
  }
}

// --- internal ---

interface Commands {
  exit: string[]
  client: string[]
  tuning: EndSpec['tuning']
}

async function startPair(place: Place, { exit, client, tuning }: Commands): Promise<Running> {
  const identities = await Promise.all([createIdentity(), createIdentity()])
  const startEnd = (index: 0 | 1) => {
    const [side, role, command] =
      index === 0 ? (['far', 'client', exit] as const) : (['near', 'server', client] as const)
    const { key, certificate } = identities[index]
    const spec: EndSpec = {
      role,
      address: place.address[side],
      key: String(key),
      certificate: String(certificate),
      pin: identities[1 - index]!.fingerprint,
      tuning,
    }
    return place.start(side, command, { spec })
  }
  const ends = { exit: startEnd(0), client: startEnd(1) }
  const portOf = (end: Started) => end.hear('it had a port', withKey<{ port: number }>('port'))
  const [exitPort, clientPort] = await Promise.all([portOf(ends.exit), portOf(ends.client)])
  ends.client.tell({ peer: { address: place.address.far, port: exitPort.port } })
  ends.exit.tell({ peer: { address: place.address.near, port: clientPort.port } })
  const both = [ends.exit, ends.client]
  await Promise.all(both.map(end => end.hear('the handshake', withKey('ready'))))
  const packetsOf = (end: Started) => {
    end.tell({ tell: 'packets' })
    return end.hear('its packets were counted', withKey<Packets>('batches'))
  }

  return {
    parts: () => ({ exit: [ends.exit.pid], client: [ends.client.pid] }),
    packets: async () => ({ exit: await packetsOf(ends.exit), client: await packetsOf(ends.client) }),
    async run({ action, bytes, forMs }) {
      const [sender, receiver] = action === 'put' ? [ends.client, ends.exit] : [ends.exit, ends.client]
      receiver.tell({ send: false, bytes, forMs } satisfies Transfer)
      sender.tell({ send: true, bytes, forMs } satisfies Transfer)
      const { received, seconds } = await receiver.hear(
        'the transfer was done',
        withKey<{ received: number; seconds: number }>('received'),
        loadLimitMs,
      )
      return {
        seconds,
        bytes: received,
        failures: forMs || received === bytes ? 0 : 1,
        connectMs: [],
        firstByteMs: [],
        fairness: 1,
        cpuSeconds: 0,
      }
    },
    async stop() {
      await Promise.all(both.map(end => end.stop()))
    },
  }
}
