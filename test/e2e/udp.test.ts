import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { content } from '../lab/content.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { type Association, type UdpServer, udpAssociation, udpEcho, vacated } from '../support/udp-client.ts'
import { until } from '../support/until.ts'

interface Context {
  local: LocalCloud
  proxy: LocalProxy
  echo: UdpServer
  open: () => Promise<Association>
}

const test = suite<Context>('UDP through the tunnel')
const host = '127.0.0.1'

test.before(async context => {
  context.local = await startLocalCloud()
  context.proxy = await context.local.proxy({ args: ['--no-dashboard'] })
})
test.after(({ local }) => local.close())
test.before.each(async context => {
  context.echo = await udpEcho()
  context.open = () => udpAssociation({ proxy: context.proxy.port })
})
test.after.each(({ echo }) => echo.close())

test('10,000 packets are echoed', async ({ open, echo }) => {
  const association = await open()
  const count = 10_000
  const maxUnderWay = 256
  const seen = new Set<number>()
  let wrong = 0
  let progress = () => {}
  association.onPacket = ({ data }) => {
    const id = data.readUInt32BE(0)
    if (!data.equals(packetOf(id))) wrong++
    seen.add(id)
    association.received.length = 0
    progress()
  }
  const started = performance.now()
  let given = 0
  let sent = 0
  while (sent < count) {
    while (sent < count && sent - given - seen.size < maxUnderWay)
      association.send({ host, port: echo.port }, packetOf(sent++))
    const before = seen.size
    await Promise.race([
      new Promise<void>(resolve => {
        progress = resolve
      }),
      new Promise(resolve => setTimeout(resolve, 500)),
    ])
    // What has been silent for so long is lost, and is waited for no more.
    if (seen.size === before) given = sent - seen.size
  }
  const ended = () => seen.size === count
  await until(ended, 'the last of them', 3_000).catch(() => {})
  const seconds = (performance.now() - started) / 1_000
  const lost = count - seen.size
  console.log(
    `figure: UDP echo: ${count} packets of 4 to 1,100 bytes, ${lost} lost (${((lost / count) * 100).toFixed(2)} %), ${Math.round(count / seconds)} a second there and back`,
  )
  assert.is(wrong, 0)
  // A busy machine may drop some; a tunnel that loses packets of its own drops more.
  assert.ok(lost < count / 50, `${lost} lost`)
  association.close()
})

/** The packet with this number: its length is the number's, too. */
function packetOf(id: number): Buffer {
  const packet = Buffer.alloc(4 + ((id * 37) % 1_097), id & 255)
  packet.writeUInt32BE(id)
  return packet
}

test('packets too large for a datagram of QUIC’s come through whole', async ({ open, echo }) => {
  const association = await open()
  const sizes = [1_500, 4_000, 9_000, 30_000, 65_000]
  for (const size of sizes) association.send({ host, port: echo.port }, content(size))
  await until(() => association.received.length === sizes.length, 'all of them')
  for (const { data } of association.received) assert.ok(content(data.length).equals(data))
  assert.equal(
    association.received.map(({ data }) => data.length).sort((a, b) => a - b),
    sizes,
  )
  association.close()
})

test('50 associations go side by side, each from a port of its own at the exit', async ({ open, echo }) => {
  const all = await Promise.all(Array.from({ length: 50 }, () => open()))
  for (const [i, association] of all.entries()) association.send({ host, port: echo.port }, `number ${i}`)
  await until(() => all.every(({ received }) => received.length === 1), 'an answer for each')
  for (const [i, { received }] of all.entries()) assert.is(String(received[0]!.data), `number ${i}`)
  assert.is(new Set(echo.from.map(({ port }) => port)).size, 50)
  for (const association of all) association.close()
})

test('the exit’s socket is closed when the client’s TCP connection is', async ({ open, echo }) => {
  const association = await open()
  association.send({ host, port: echo.port }, 'hello')
  await until(() => association.received.length === 1, 'the answer')
  await association.end()
  await vacated(echo.from[0]!.port, 'the exit’s socket')
  association.close()
})

test('when its exit is killed, an association goes on through the next one', async ({
  local,
  proxy,
  open,
  echo,
}) => {
  const association = await open()
  association.send({ host, port: echo.port }, 'before')
  await until(() => association.received.length === 1, 'the first answer')
  const { session } = proxy.told('exit.ready').at(-1)!
  const killed = performance.now()
  local.kill(session)
  const knock = setInterval(() => association.send({ host, port: echo.port }, 'after'), 50)
  await until(() => association.received.length > 1, 'an answer through another exit')
  clearInterval(knock)
  // Sooner than the lost one is given up, which takes 15 s of silence.
  assert.equal(proxy.told('exit.closed'), [])
  const ms = performance.now() - killed
  console.log(`figure: UDP association: answers again ${(ms / 1_000).toFixed(1)} s after its exit was killed`)
  assert.is.not(proxy.told('exit.ready').at(-1)!.session, session)
  assert.is(new Set(echo.from.map(({ port }) => port)).size, 2)
  association.close()
})

test.run()
