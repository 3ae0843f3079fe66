import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeTarget } from '../../tunnel/session/frames/address.ts'
import { type DnsServer, dnsServer } from '../support/dns-server.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { openSockets } from '../support/open-sockets.ts'
import { type Random, seeded } from '../support/random.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { type Target, tcpServer } from '../support/servers.ts'
import { ask } from '../support/socks-request.ts'
import { until } from '../support/until.ts'

interface Context {
  proxy: LocalProxy
  /** Knows no name, and says so at once: the machine's own takes its time for thousands of them. */
  dns: DnsServer
  target: Target
  /** Sockets that it has open when nobody is connected. */
  quiet: number
}

const test = suite<Context>('What the SOCKS port is sent')

test.before(async context => {
  const dns = await dnsServer(() => undefined)
  const args = ['--local', '--allow-private', '--no-dashboard', '--dns', dns.address]
  const [proxy, target] = await Promise.all([
    startProxy({ args }),
    tcpServer(socket => void socket.end('here')),
  ])
  Object.assign(context, { dns, proxy, target })
})
test.before.each(async context => {
  await works(context)
  context.quiet = openSockets(context.proxy.pid)
})
/** Whatever was sent: it still works, and holds nothing. */
test.after.each(async context => {
  await works(context)
  await until(() => openSockets(context.proxy.pid) <= context.quiet, 'its sockets to be closed')
})
test.after(async ({ proxy, dns, target }) => {
  await proxy.close()
  dns.close()
  await target.close()
})

async function works({ proxy, target }: Context): Promise<void> {
  const { client } = await ask(proxy.port, '127.0.0.1', target.port)
  assert.is(String(await client.rest()), 'here')
  client.destroy()
  await client.closed
}

/** What comes back for these bytes, once our end is said. */
async function answer({ proxy }: Context, bytes: Uint8Array): Promise<Buffer> {
  const client = await rawClient(proxy.port)
  client.write(bytes)
  client.end()
  const all = await client.rest()
  client.destroy()
  return all
}

test('SOCKS4 is not spoken', async context => {
  // Nothing, or SOCKS4's own word for a refusal.
  for (const bytes of [
    Buffer.of(4, 1, 0, 80, 127, 0, 0, 1, 0),
    Buffer.concat([Buffer.of(4, 1, 0, 80, 0, 0, 0, 1, 0), Buffer.from('a.invalid\0')]),
  ])
    assert.ok(['', '005b000000000000'].includes((await answer(context, bytes)).toString('hex')))
})

test('greetings and requests that are cut short anywhere end with the connection', async context => {
  const whole = Buffer.concat([Buffer.of(5, 1, 0, 5, 1, 0), encodeTarget({ host: 'a.invalid', port: 80 })])
  for (let length = 0; length < whole.length; length++) {
    const back = await answer(context, whole.subarray(0, length))
    assert.is(back.toString('hex'), length < 3 ? '' : '0500')
  }
})

test('clients that say nothing, or half a greeting, and vanish leave nothing behind', async context => {
  const clients = await Promise.all(Array.from({ length: 200 }, () => rawClient(context.proxy.port)))
  for (const [i, client] of clients.entries()) if (i % 2) client.write(Buffer.of(5))
  await works(context)
  for (const client of clients) client.destroy()
})

test('a client that ends without waiting for its reply leaves nothing behind', async context => {
  for (let i = 0; i < 50; i++) {
    const client = await rawClient(context.proxy.port)
    const { port } = context.target
    client.write(Buffer.of(5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255))
    if (i % 2) client.end()
    else client.destroy()
    if (i % 2) assert.ok((await client.rest()).length >= 2)
    client.destroy()
  }
})

/** Random bytes, or a conversation with some of its bytes changed. No name in it leads anywhere. */
function input(random: Random): Buffer {
  const kind = random.int(4)
  if (kind === 0) return random.bytes(random.int(600))
  if (kind === 1) return Buffer.concat([Buffer.of(5), random.bytes(random.int(300))])
  const greeting = kind === 2 ? Buffer.of(5, 1, 0) : Buffer.of(5, 2, 0, 2)
  const host = `${'n'.repeat(random.int(200))}.invalid`
  const whole = Buffer.concat([greeting, Buffer.of(5, 1, 0), encodeTarget({ host, port: 80 })])
  for (let n = random.int(4); n > 0; n--) whole[random.int(whole.length)] = random.int(256)
  return whole
}

test('10,000 random and mutated inputs do no harm', async context => {
  const random = seeded(23)
  let left = 10_000
  const worker = async () => {
    while (left-- > 0) {
      const client: RawClient = await rawClient(context.proxy.port)
      client.write(input(random))
      if (random.chance(0.7)) {
        client.end()
        await client.rest()
      }
      client.destroy()
      await client.closed
    }
  }
  await Promise.all(Array.from({ length: 50 }, worker))
  assert.equal(context.proxy.told('exit.closed'), [])
})

test.run()
