import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { reply } from '../../tunnel/session/frames/reply.ts'
import { curl } from '../support/curl.ts'
import { type DnsServer, dnsServer, type Records } from '../support/dns-server.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { converse } from '../support/near-proxy.ts'
import { need } from '../support/need.ts'
import { inOwnNetwork } from '../support/own-network.ts'
import { patient } from '../support/patience.ts'
import { type Target, tcpServer } from '../support/servers.ts'
import { ask } from '../support/socks-request.ts'
import { udpAssociation } from '../support/udp-client.ts'
import { until } from '../support/until.ts'

interface Context {
  /** Its exits reach public addresses only. */
  local: LocalCloud
  /** Whose exit looks names up as its system does, and whose exit asks the DNS server. */
  bySystem: LocalProxy
  byServer: LocalProxy
  dns: DnsServer
  records: Map<string, Records>
  /** Listens at every address there is, where the runtime API would, and says `trespass`. */
  trap: Target & { caught: string[] }
  udpTrap: UdpSocket & { caught?: string[] }
}

const test = suite<Context>('The exit’s guard')

/** Where Lambda's runtime API listens. */
const runtimeApi = 9001
const publicHost = '11.0.0.80'
const dnsHost = '11.0.0.53'

/** Written as addresses are, so that nothing has to be looked up. */
const addresses = {
  'loopback, with the runtime API': ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1'],
  'this host': ['0.0.0.0', '0.1.2.3', '::'],
  'link-local, with the metadata': ['169.254.169.254', '169.254.0.1', 'fe80::1', 'fd00:ec2::254'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1'],
  'carrier-grade NAT': ['100.64.0.1', '100.127.255.254'],
  multicast: ['224.0.0.1', '239.255.255.250', 'ff02::1'],
  'reserved and broadcast': ['240.0.0.1', '255.255.255.255', '198.18.0.1', '192.0.2.1', '2001:db8::1'],
  'IPv4 in IPv6': ['::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1', '::ffff:0:169.254.169.254'],
  NAT64: ['64:ff9b::7f00:1', '64:ff9b::169.254.169.254', '64:ff9b:1::a00:1', '64:ff9b:1:7f00:0:100:808:808'],
  '6to4': ['2002:7f00:1::', '2002:a9fe:a9fe::1'],
  Teredo: ['2001:0:7f00:1::', '2001:0:4136:e378:8000:63bf:80ff:fffe'],
  ISATAP: ['2606:4700::5efe:127.0.0.1', '2a00:1450::200:5efe:7f00:1'],
  'set apart by the registry': ['2001:2::1', '2001:20::1', '3fff::1', '5f00::1', '100::1', '4000::1'],
}
const plain = Object.values(addresses).flat()

/** Read as addresses by some systems, and as names by others: refused, or not found. */
const spelt = [
  'localhost',
  'localhost.',
  'LOCALHOST',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '[::1]',
  '169.254.43518',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '0',
  'ip6-localhost',
]

/** Names that resolve to what is forbidden. */
const named: Record<string, string[]> = {
  'loop.example': ['127.0.0.1'],
  'loop6.example': ['::1'],
  'metadata.example': ['169.254.169.254'],
  'metadata6.example': ['fd00:ec2::254'],
  'inside.example': ['10.0.0.1', '192.168.0.1', 'fc00::1'],
  'mapped.example': ['::ffff:127.0.0.1', '::ffff:169.254.169.254'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'sixtofour.example': ['2002:7f00:1::1'],
  'zero.example': ['0.0.0.0', '::'],
}

test.before(async context => {
  context.records = new Map()
  for (const [name, addresses] of Object.entries(named)) context.records.set(name, { addresses })
  context.dns = await dnsServer(name => context.records.get(name), dnsHost)
  const caught: string[] = []
  const trap = await tcpServer(
    socket => {
      caught.push(`${socket.localAddress}`)
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\ntrespass'))
    },
    '::',
    runtimeApi,
  )
  context.trap = Object.assign(trap, { caught })
  const udpCaught: string[] = []
  context.udpTrap = Object.assign(createSocket('udp6').bind(runtimeApi, '::'), { caught: udpCaught })
  await once(context.udpTrap, 'listening')
  context.udpTrap.on('message', (data, from) => {
    udpCaught.push(String(data))
    context.udpTrap.send(data, from.port, from.address)
  })
  context.local = await startLocalCloud({ allowPrivate: false, logLevel: 'DEBUG' })
  context.bySystem = await context.local.proxy({ args: ['--no-dashboard'] })
  context.byServer = await context.local.proxy({ args: ['--no-dashboard', '--dns', dnsHost] })
})
test.before.each(({ trap, udpTrap }) => {
  trap.caught.length = 0
  udpTrap.caught!.length = 0
})
test.after(async ({ local, dns, trap, udpTrap }) => {
  await local.close()
  dns.close()
  udpTrap.close()
  await trap.close()
})

/** What SOCKS says of a CONNECT. */
async function connectReply({ port }: LocalProxy, host: string): Promise<number> {
  const { reply, client } = await ask(port, host, runtimeApi)
  client.destroy()
  return reply.code
}

const inUrl = (host: string) => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host)

/** The statuses of a CONNECT and of a plain request. */
async function httpStatuses({ port }: LocalProxy, host: string): Promise<number[]> {
  const to = `${inUrl(host)}:${runtimeApi}`
  const requests = [
    `CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n\r\n`,
    `GET http://${to}/2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: ${to}\r\nConnection: close\r\n\r\n`,
  ]
  const answered = (said: string) => said.includes('\r\n\r\n')
  return Promise.all(
    requests.map(async request =>
      Number(/^HTTP\/1.1 (\d+)/.exec(await converse(port, request, answered))?.[1]),
    ),
  )
}

test('what is public is reached, at this very port: the guard alone is in the way of the rest', async ({
  bySystem,
  trap,
}) => {
  assert.is(await connectReply(bySystem, publicHost), reply.succeeded)
  assert.equal(await httpStatuses(bySystem, publicHost), [200, 200])
  await until(() => trap.caught.length === 3, 'three connections')
  trap.caught.length = 0
  // The same exits, but for what the deployment allows.
  const open = await startLocalCloud({ allowPrivate: true })
  const proxy = await open.proxy({ args: ['--no-dashboard'] })
  const reachable = plain.filter(host => !/^(22[4-9]|23|255|0\.|fe80|ff02|::$)/.test(host))
  for (const host of reachable) assert.is(await connectReply(proxy, host), reply.succeeded, host)
  for (const host of ['localhost', '127.1', '2130706433', '0x7f000001', '0177.0.0.1'])
    assert.is(await connectReply(proxy, host), reply.succeeded, host)
  await until(() => trap.caught.length === reachable.length + 5, 'all of them')
  await open.close()
})

for (const [kind, hosts] of Object.entries(addresses))
  test(`refused: ${kind}`, async ({ bySystem, byServer, trap }) => {
    for (const host of hosts) {
      for (const proxy of [bySystem, byServer])
        assert.is(await connectReply(proxy, host), reply.notAllowed, host)
      assert.equal(await httpStatuses(bySystem, host), [403, 403], host)
    }
    assert.equal(trap.caught, [])
  })

test('refused: other spellings of such addresses', async ({ bySystem, byServer, trap }) => {
  for (const host of spelt) {
    for (const proxy of [bySystem, byServer]) {
      const code = await connectReply(proxy, host)
      assert.ok(
        [reply.notAllowed, reply.hostUnreachable, reply.failure].includes(code as 2),
        `${host}: ${code}`,
      )
    }
    for (const status of await httpStatuses(bySystem, host))
      assert.ok([400, 403, 502, 504].includes(status), `${host}: ${status}`)
  }
  // Those that the exit's system does read must have been refused, not merely unknown.
  for (const host of ['localhost', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '2852039166'])
    assert.is(await connectReply(bySystem, host), reply.notAllowed, host)
  assert.equal(trap.caught, [])
})

test('refused: names that resolve to such addresses', async ({ byServer, dns, trap }) => {
  for (const name of Object.keys(named)) {
    assert.is(await connectReply(byServer, name), reply.notAllowed, name)
    assert.equal(await httpStatuses(byServer, name), [403, 403], name)
    assert.is(await connectReply(byServer, `${name}.`), reply.notAllowed, `${name}.`)
    assert.ok(dns.queries.includes(`${name} A`))
  }
  assert.equal(trap.caught, [])
})

test('of a name with addresses of both sorts only the public one is reached', async ({
  byServer,
  records,
  trap,
}) => {
  records.set('sorts.example', { addresses: ['127.0.0.1', publicHost, '::1', '169.254.169.254'] })
  for (let i = 0; i < 5; i++) assert.is(await connectReply(byServer, 'sorts.example'), reply.succeeded)
  await until(() => trap.caught.length === 5, 'five connections')
  assert.equal(new Set(trap.caught), new Set([`::ffff:${publicHost}`]))
})

test('a name that changes its mind gains nothing', async ({ byServer, dns, records, trap }) => {
  const asked = () => dns.queries.filter(query => query === 'rebind.example A').length
  records.set('rebind.example', { addresses: [publicHost], ttl: 0 })
  assert.is(await connectReply(byServer, 'rebind.example'), reply.succeeded)
  records.set('rebind.example', { addresses: ['127.0.0.1', '169.254.169.254', '::1'], ttl: 0 })
  let code: number = reply.succeeded
  for (
    const limit = performance.now() + patient(10_000);
    code === reply.succeeded && performance.now() < limit;
  )
    code = await connectReply(byServer, 'rebind.example')
  assert.is(code, reply.notAllowed)
  assert.is(asked(), 2)
  assert.equal(await httpStatuses(byServer, 'rebind.example'), [403, 403])
  assert.equal(new Set(trap.caught), new Set([`::ffff:${publicHost}`]))
})

test('a name that answers public and private by turns is only ever reached where it is public', async ({
  byServer,
  records,
  trap,
}) => {
  const codes = new Set<number>()
  for (let i = 0; i < 40; i++) {
    const name = `turn-${i}.example`
    let turn = i
    // Four and six are asked for at once: either may be the private one.
    records.set(name, {
      get addresses() {
        return turn++ % 2 === 0 ? [publicHost, '::1'] : ['127.0.0.1', '::1']
      },
      ttl: 0,
    })
    codes.add(await connectReply(byServer, name))
  }
  assert.equal(codes, new Set<number>([reply.succeeded, reply.notAllowed]))
  assert.equal(new Set(trap.caught), new Set([`::ffff:${publicHost}`]))
})

test('a redirect from a public server leads no further', async ({ bySystem, trap }) => {
  const redirecting = await tcpServer(
    socket =>
      void socket.on('data', () =>
        socket.end(
          `HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:${runtimeApi}/2018-06-01/runtime/invocation/next\r\ncontent-length: 0\r\n\r\n`,
        ),
      ),
    publicHost,
  )
  const url = `http://${publicHost}:${redirecting.port}/`
  for (const scheme of ['socks5h', 'http']) {
    const { body } = await curl('-L', '-x', `${scheme}://127.0.0.1:${bySystem.port}`, url)
    assert.not.match(body, 'trespass')
  }
  assert.equal(trap.caught, [])
  await redirecting.close()
})

test('packets to such addresses are dropped, and others go', async ({
  local,
  byServer,
  bySystem,
  udpTrap,
}) => {
  const refused = () => local.log.filter(({ message }) => message === 'packet refused').length
  for (const [proxy, hosts] of [
    [bySystem, [...plain, 'localhost', '127.1', '2130706433', '0x7f000001', '0177.0.0.1']],
    [byServer, [...plain, ...Object.keys(named)]],
  ] as const) {
    const before = refused()
    const association = await udpAssociation({ proxy: proxy.port })
    for (const host of hosts) association.send({ host, port: runtimeApi }, `to ${host}`)
    await until(() => refused() - before === hosts.length, 'each of them to be refused')
    association.send({ host: publicHost, port: runtimeApi }, 'to the public')
    await until(() => association.received.length === 1, 'the echo')
    association.close()
  }
  assert.equal(udpTrap.caught, ['to the public', 'to the public'])
})

test('a DNS server at such an address is asked nothing', async ({ local, trap }) => {
  const inner = await dnsServer(() => ({ addresses: [publicHost] }), '127.0.0.53')
  for (const server of [
    inner.address,
    `https://127.0.0.1:${runtimeApi}/`,
    `https://localhost:${runtimeApi}/`,
  ]) {
    const proxy = await local.proxy({ args: ['--no-dashboard', '--dns', server] })
    assert.is(await connectReply(proxy, 'some.example'), reply.notAllowed, server)
    assert.is(await connectReply(proxy, publicHost), reply.succeeded)
    await proxy.close()
  }
  assert.equal(inner.queries, [])
  assert.equal(new Set(trap.caught), new Set([`::ffff:${publicHost}`]))
  inner.close()
})

const programs = ['curl', 'ip', 'unshare']
if (need(['curl', 'iproute2', 'util-linux'], programs) && inOwnNetwork()) test.run()
