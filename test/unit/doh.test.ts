import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Answer, decode, encode } from 'dns-packet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { finish } from '../lab/running.ts'
import { selfSigned } from '../support/certificate.ts'
import { answerTo, type Zone } from '../support/dns-server.ts'

interface Asked {
  addresses: { address: string; family: number }[]
  ttl?: number
  error?: string
}

interface Context {
  folder: string
  server: Server
  /** TLS connections so far. */
  connections: () => number
  /** Requests so far, as `method path type`. */
  requests: string[]
  /** Asks the server, in a process of Node's that trusts its certificate unless told otherwise. */
  ask: (path: string, hosts: string[], choices?: { address?: string; trust?: boolean }) => Promise<Asked[]>
}

const test = suite<Context>('DNS over HTTPS')
const node = join(import.meta.dir, '../../node_modules/node/bin/node')

const zone: Zone = name => {
  if (name === 'both.example') return { addresses: ['192.0.2.1', '2001:db8::1'], ttl: 77 }
  if (name === 'four.example') return { addresses: ['192.0.2.4', '192.0.2.5'], ttl: 5 }
  return { failure: name === 'broken.example' ? 'SERVFAIL' : 'NXDOMAIN' }
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  switch (request.url) {
    case '/dns-query':
      response.setHeader('content-type', 'application/dns-message')
      return void response.end(encode(answerTo(decode(Buffer.concat(chunks)), zone)))
    case '/mixed': {
      // Whatever is asked: an alias, and addresses of both families.
      const asked = decode(Buffer.concat(chunks))
      const { name } = asked.questions![0]!
      const answers: Answer[] = [
        { type: 'CNAME', name, ttl: 1, data: 'alias.example' },
        { type: 'A', name: 'alias.example', ttl: 50, data: '192.0.2.1' },
        { type: 'AAAA', name: 'alias.example', ttl: 20, data: '2001:db8::1' },
      ]
      return void response.end(encode({ ...asked, type: 'response', answers }))
    }
    case '/silent':
      return
    case '/moved':
      return void response.writeHead(307, { location: '/dns-query' }).end()
    case '/endless':
      response.writeHead(200)
      for (let i = 0; i < 100; i++) response.write(Buffer.alloc(10_000))
      return
    case '/garbage':
      return void response.end('no DNS message')
    default:
      return void response.writeHead(500).end()
  }
}

test.before(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const certificate = await selfSigned('dns.example')
  const authorities = join(context.folder, 'authorities.pem')
  await writeFile(authorities, certificate.cert)
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, '../support/ask-https.ts')],
    outdir: context.folder,
    target: 'node',
  })
  const program = built.outputs[0]!.path
  let connections = 0
  context.connections = () => connections
  context.requests = []
  context.server = createServer(certificate, (request, response) => {
    context.requests.push(`${request.method} ${request.url} ${request.headers['content-type']}`)
    void respond(request, response)
  })
  context.server.on('secureConnection', () => connections++).listen(0, '127.0.0.1')
  await once(context.server, 'listening')
  const { port } = context.server.address() as AddressInfo
  context.ask = async (path, hosts, { address = '127.0.0.1', trust = true } = {}) => {
    const url = `https://dns.example:${port}${path}`
    const said = await finish(['timeout', '60', node, program, url, address, ...hosts], '', {
      env: { NODE_EXTRA_CA_CERTS: trust ? authorities : undefined },
    })
    return said
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Asked)
  }
})
test.after(async ({ server, folder }) => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

const addresses = ({ addresses }: Asked) => addresses.map(({ address, family }) => `${family} ${address}`)

test('a name’s addresses of both families come with the shortest time to live, over connections that are kept', async ({
  ask,
  connections,
  requests,
}) => {
  const hosts = ['both.example', 'four.example', 'both.example', 'four.example', 'both.example']
  const answers = await ask('/dns-query', hosts)
  assert.equal(addresses(answers[0]!), ['6 2001:db8::1', '4 192.0.2.1'])
  assert.is(answers[0]!.ttl, 77)
  assert.equal(addresses(answers[1]!), ['4 192.0.2.4', '4 192.0.2.5'])
  assert.is(answers[1]!.ttl, 5)
  assert.is(requests.length, 2 * hosts.length)
  assert.equal(new Set(requests), new Set(['POST /dns-query application/dns-message']))
  // One for each of the two questions that are asked at once.
  assert.is(connections(), 2)
})

test('of an answer the addresses count that were asked for, with the shortest time to live among them', async ({
  ask,
}) => {
  const [answer] = await ask('/mixed', ['mixed.example'])
  assert.equal(addresses(answer!), ['6 2001:db8::1', '4 192.0.2.1'])
  assert.is(answer!.ttl, 20)
})

test('a server that says nothing is an error after four seconds', async ({ ask }) => {
  assert.ok((await ask('/silent', ['both.example']))[0]!.error)
})

test('a name without an address is an error', async ({ ask }) => {
  const answers = await ask('/dns-query', ['nothing.example', 'broken.example'])
  for (const { error } of answers) assert.match(error ?? '', 'has no address')
})

test('a redirect is not followed', async ({ ask, requests }) => {
  requests.length = 0
  const [answer] = await ask('/moved', ['both.example'])
  assert.match(answer?.error ?? '', 'answered 307')
  assert.is(requests.filter(request => request.includes('/dns-query')).length, 0)
})

test('what is no DNS message, or larger than one can be, is an error', async ({ ask }) => {
  assert.match((await ask('/endless', ['both.example']))[0]!.error ?? '', 'more than a DNS message')
  assert.ok((await ask('/garbage', ['both.example']))[0]!.error)
  assert.match((await ask('/elsewhere', ['both.example']))[0]!.error ?? '', 'answered 500')
})

test('a server whose certificate is not trusted hears no question', async ({ ask, requests }) => {
  requests.length = 0
  const [answer] = await ask('/dns-query', ['both.example'], { trust: false })
  assert.match(answer?.error ?? '', 'certificate')
  assert.equal(requests, [])
})

test('only a permitted address of the server is connected to', async ({ ask, connections }) => {
  const before = connections()
  const [answer] = await ask('/dns-query', ['both.example'], { address: 'forbidden' })
  assert.match(answer?.error ?? '', 'that server is forbidden')
  assert.is(connections(), before)
})

test.run()
