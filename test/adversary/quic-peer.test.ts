import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { engineFile } from '../../native/engine/file.ts'
import type { EngineName } from '../../tunnel/quic/engines/engines.ts'
import { createIdentity, type Identity } from '../../tunnel/quic/identity.ts'
import { alpn, type Role } from '../../tunnel/quic/tuning.ts'
import { controlVersion } from '../../tunnel/session/frames/control.ts'
import { start, withKey } from '../bench/processes.ts'
import { needNativeEngine } from '../support/engines.ts'
import { needPip } from '../support/need.ts'
import { patient } from '../support/patience.ts'

// A pinned peer, by aioquic, that sends what costs its victim far more than it carries. The victim may end the connection or
// bear it; it must not stand still, nor fill its memory.

const root = join(import.meta.dir, '../..')
const programs = join(import.meta.dir, 'programs')
const node = join(root, 'node_modules/node/bin/node')
const address = '127.0.0.1'

/** What must not be passed: of this process's memory, and of its own time between two turns of its loop. */
const maxMemoryMb = 150
const maxStillMs = 1_000

/** By the megabytes of packets that are sent: their making takes the peer most of the time. */
const attacks = {
  low_sequence_numbers: 10,
  crypto_gaps: 10,
  crypto_bulk: 40,
  path_challenges: 20,
  stream_gaps: 40,
  stream_crumbs: 10,
  number_gaps: 5,
  streams_opened_and_reset: 5,
}

const test = suite<{ folder: string; bundle: string }>('A malicious pinned peer')

const python = needPip(['aioquic'])
const engines: EngineName[] = (await needNativeEngine()) ? ['quiche', 'native'] : ['quiche']

test.before(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.bundle = join(context.folder, 'victim.cjs')
  await bundleForNode(context.bundle)
})
test.after(({ folder }) => rm(folder, { recursive: true }))

for (const engine of python ? engines : [])
  for (const role of ['server', 'client'] as const)
    for (const [attack, megabytes] of Object.entries(attacks))
      test(`${attack.replaceAll('_', ' ')} against the ${role}, ${engine}`, async ({ bundle }) => {
        const [victim, peer] = await startBoth({ role, attack, megabytes, engine, bundle })
        try {
          const ends = [victim, peer] as const
          const ports = await Promise.all(ends.map(end => end.hear('its port', withKey<Port>('port'))))
          victim.tell(ports[1]!)
          peer.tell(ports[0]!)
          assert.ok((await peer.hear('the handshake', withKey<{ ready: boolean }>('ready'))).ready)
          const { sent } = await peer.hear('the end', withKey<{ sent: number }>('sent'), patient(60_000))
          assert.ok(sent > 0)
          victim.tell({})
          const took = await victim.hear('what it took', withKey<Taken>('stillMs'), patient(30_000))
          assert.ok(took.memoryMb < maxMemoryMb, `${took.memoryMb} MB`)
          assert.ok(took.stillMs < maxStillMs, `${took.stillMs} ms`)
          console.log(`figure: ${JSON.stringify({ engine, role, attack, ...took })}`)
        } finally {
          await Promise.all([victim.stop(), peer.stop()])
        }
      })

// --- internal ---

interface Port {
  port: number
}

interface Taken {
  memoryMb: number
  stillMs: number
  /** How the connection ended, if it has. */
  closed?: string
}

interface Attack {
  /** The victim's. */
  role: Role
  attack: string
  megabytes: number
  engine: EngineName
  bundle: string
}

async function startBoth({ role, attack, megabytes, engine, bundle }: Attack) {
  const [own, other] = await Promise.all([createIdentity(), createIdentity()])
  const pem = ({ key, certificate }: Identity) => ({ key: String(key), certificate: String(certificate) })
  const victim = { role, engine, address, pin: other.fingerprint, ...pem(own) }
  const about = { region: 'local-1', address, remaining_ms: 60_000, memory_mb: 128, request_id: 'r' }
  const peer = {
    role: role === 'server' ? 'client' : 'server',
    address,
    attack,
    megabytes,
    alpn,
    hello: { type: 'hello', version: controlVersion, ...about },
    ...pem(other),
  }
  const command = role === 'server' ? [process.execPath, join(programs, 'quic-victim.ts')] : [node, bundle]
  return [
    start([...command, JSON.stringify(victim)]),
    start([python!, join(programs, 'quic-peer.py'), JSON.stringify(peer)]),
  ] as const
}

/** The victim as the function is: on Node, bundled. */
async function bundleForNode(outfile: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [join(programs, 'quic-victim.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    alias: { '@matrixai/quic/dist/native/quiche.js': '@matrixai/quic-linux-x64/node.napi.node' },
    loader: { '.node': 'copy' },
    external: ['bun:ffi'],
    logLevel: 'error',
    plugins: [useNativeEngine],
  })
}

/** The addon that was built for this machine, in place of the module that looks for it. */
const useNativeEngine: Plugin = {
  name: 'use-native-engine',
  setup(build) {
    const addon = join(root, engineFile(`${process.platform}-${process.arch}`))
    if (engines.includes('native'))
      build.onLoad({ filter: /engines\/native\/binding\.ts$/ }, () => ({
        contents: `import binding from ${JSON.stringify(addon)}\nexport const loadBinding = () => binding`,
      }))
  },
}

test.run()
