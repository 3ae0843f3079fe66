import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode, encode } from 'dns-packet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { reply } from '../../tunnel/session/frames/reply.ts'
import { start } from '../lab/running.ts'
import { selfSigned } from '../support/certificate.ts'
import { answerTo, type DnsServer, dnsServer, type Records } from '../support/dns-server.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import { need } from '../support/need.ts'
import { patient } from '../support/patience.ts'
import { type Target, tcpServer } from '../support/servers.ts'
import { SocksError, socksConnect } from '../support/socks-client.ts'
import { udpAssociation, udpEcho } from '../support/udp-client.ts'
import { until } from '../support/until.ts'

interface Context {
  folder: string
  /** Its function trusts the certificate of the DNS-over-HTTPS server. */
  local: LocalCloud
  /** What there is by this name. */
  records: Map<string, Records>
  dns: DnsServer
  /** The DNS-over-HTTPS server with the same records, and what it was asked. */
  secure: { url: string; paths: string[]; close(): void }
  /** Port of a proxy whose exit asks the DNS server. */
  port: number
  /** Servers at two addresses and one port, which say the address. */
  servers: Target[]
  at: number
}

const test = suite<Context>('Names at the exit')
const addresses = ['127.0.0.1', '127.0.0.2']

test.before(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.records = new Map()
  const zone = (name: string) => context.records.get(name)
  context.dns = await dnsServer(zone)
  const certificate = await selfSigned('127.0.0.1')
  const authorities = join(context.folder, 'authorities.pem')
  await writeFile(authorities, certificate.cert)
  const paths: string[] = []
  const secure = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: certificate,
    async fetch(request) {
      paths.push(`${request.method} ${new URL(request.url).pathname}`)
      const answer = answerTo(decode(Buffer.from(await request.arrayBuffer())), zone)
      return new Response(new Uint8Array(encode(answer)), {
        headers: { 'content-type': 'application/dns-message' },
      })
    },
  })
  context.secure = {
    url: `https://127.0.0.1:${secure.port}/dns-query`,
    paths,
    close: () => void secure.stop(true),
  }
  context.local = await startLocalCloud({ command: ['env', `NODE_EXTRA_CA_CERTS=${authorities}`] })
  const { port } = await context.local.proxy({ args: ['--no-dashboard', '--dns', context.dns.address] })
  context.port = port
  const first = await tcpServer(socket => void socket.end(addresses[0]!), addresses[0])
  context.at = first.port
  context.servers = [
    first,
    await tcpServer(socket => void socket.end(addresses[1]!), addresses[1], first.port),
  ]
})
test.after(async ({ local, dns, secure, servers, folder }) => {
  await local.close()
  dns.close()
  secure.close()
  for (const server of servers) await server.close()
  await rm(folder, { recursive: true, force: true })
})

/** What a server says that is reached through the proxy by this name. */
async function said(proxy: number, host: string, port: number): Promise<string> {
  const socket = await socksConnect({ proxy, host, port })
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  socket.resume()
  await once(socket, 'close')
  return text
}

async function refusal(work: Promise<unknown>): Promise<number | undefined> {
  try {
    await work
  } catch (error) {
    if (error instanceof SocksError) return error.reply
    throw error
  }
  throw new Error('it was not refused')
}

test('--dns says where the exit looks names up, for connections and for packets', async ({
  records,
  dns,
  port,
  at,
}) => {
  records.set('served.example', { addresses: ['127.0.0.2'] })
  assert.is(await said(port, 'served.example', at), '127.0.0.2')
  const echo = await udpEcho('127.0.0.2')
  const association = await udpAssociation({ proxy: port })
  association.send({ host: 'served.example', port: echo.port }, 'hello')
  await until(() => association.received.length === 1, 'the echo')
  assert.is(association.received[0]!.host, '127.0.0.2')
  association.close()
  echo.close()
  // Connection and packet: one look-up, for one address of each family.
  assert.equal(dns.queries.filter(query => query.startsWith('served.')).sort(), [
    'served.example A',
    'served.example AAAA',
  ])
})

test('a name is asked for again when its time to live is over, and one that lasts is not', async ({
  records,
  dns,
  port,
  at,
}) => {
  const asked = (name: string) => dns.queries.filter(query => query === `${name} A`).length
  records.set('moving.example', { addresses: ['127.0.0.1'], ttl: 2 })
  records.set('lasting.example', { addresses: ['127.0.0.1'], ttl: 300 })
  for (const name of ['moving.example', 'lasting.example']) assert.is(await said(port, name, at), '127.0.0.1')
  for (const name of ['moving.example', 'lasting.example'])
    records.set(name, { addresses: ['127.0.0.2'], ttl: 300 })
  let moved = ''
  for (
    const limit = performance.now() + patient(10_000);
    moved !== '127.0.0.2' && performance.now() < limit;
  )
    moved = await said(port, 'moving.example', at)
  assert.is(moved, '127.0.0.2')
  assert.is(asked('moving.example'), 2)
  assert.is(await said(port, 'lasting.example', at), '127.0.0.1')
  assert.is(asked('lasting.example'), 1)
})

test('a name that is not there, or whose server fails, is host unreachable', async ({
  records,
  port,
  at,
}) => {
  records.set('broken.example', { failure: 'SERVFAIL' })
  for (const name of ['nothing.example', 'broken.example'])
    assert.is(await refusal(said(port, name, at)), reply.hostUnreachable, name)
})

/** Listens and never accepts; its queue is full, so that who connects hears nothing at all. */
const deaf = `
import socket, sys
address, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ':' in address else socket.AF_INET
listener = socket.socket(family)
listener.bind((address, port))
listener.listen(0)
fill = []
for _ in range(4):
    s = socket.socket(family)
    s.settimeout(0.3)
    fill.append(s)
    try: s.connect((address, port))
    except TimeoutError: break
else: sys.exit('it would not fill')
print('deaf', flush=True)
sys.stdin.read()
`

for (const [name, dead, live] of [
  ['deaf6.example', '::1', '127.0.0.1'],
  ['deaf4.example', '127.0.0.1', '::1'],
] as const)
  test(`of a name’s addresses one that does not answer (${dead}) holds up none that does (${live})`, async ({
    records,
    port,
  }) => {
    const server = await tcpServer(socket => void socket.end('alive'), live)
    records.set(name, { addresses: [dead, live] })
    const program = start(['python3', '-c', deaf, dead, String(server.port)])
    await program.line(/^deaf$/)
    try {
      const started = performance.now()
      assert.is(await said(port, name, server.port), 'alive')
      console.log(
        `figure: happy eyeballs: past a deaf ${dead} to ${live} in ${Math.round(performance.now() - started)} ms`,
      )
    } finally {
      await program.stop('SIGKILL')
      await server.close()
    }
  })

test('an address that refuses holds up none that does not', async ({ records, port }) => {
  const server = await tcpServer(socket => void socket.end('alive'), '127.0.0.1')
  records.set('half.example', { addresses: ['::1', '127.0.0.1'] })
  assert.is(await said(port, 'half.example', server.port), 'alive')
  await server.close()
  assert.is(await refusal(said(port, 'half.example', server.port)), reply.refused)
})

test('--dns with an https address asks by DNS over HTTPS', async ({ local, secure, dns, records, at }) => {
  records.set('secret.example', { addresses: ['127.0.0.2'], ttl: 300 })
  const { port } = await local.proxy({ args: ['--no-dashboard', '--dns', secure.url] })
  assert.is(await said(port, 'secret.example', at), '127.0.0.2')
  assert.is(await said(port, 'secret.example', at), '127.0.0.2')
  assert.equal(secure.paths, ['POST /dns-query', 'POST /dns-query'])
  assert.is(await refusal(said(port, 'nothing.example', at)), reply.hostUnreachable)
  assert.not(dns.queries.some(query => query.startsWith('secret.')))
})

test('a DNS server that cannot be asked is no target that refuses', async ({ local, at }) => {
  for (const server of ['127.255.255.254', 'https://127.255.255.254:1/dns-query']) {
    const proxy = await local.proxy({ args: ['--no-dashboard', '--dns', server] })
    assert.is(await refusal(said(proxy.port, 'served.example', at)), reply.hostUnreachable, server)
    assert.is(await said(proxy.port, '127.0.0.1', at), '127.0.0.1')
    await proxy.close()
  }
})

if (need(['python3'], ['python3'])) test.run()
