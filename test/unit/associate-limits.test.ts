import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Limits } from '../../cli/client/accounts/limits.ts'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { parseRules } from '../../cli/client/outbound/rules.ts'
import { type NearProxy, nearProxy } from '../support/near-proxy.ts'
import { SocksError } from '../support/socks-client.ts'
import { type UdpServer, udpAssociation, udpEcho } from '../support/udp-client.ts'
import { until } from '../support/until.ts'

const test = suite<{ echo: UdpServer; proxies: NearProxy[] }>('limits of logins, for UDP associations')
const host = '127.0.0.1'

test.before.each(async context => {
  context.echo = await udpEcho()
  context.proxies = []
})
test.after.each(({ echo, proxies }) => {
  echo.close()
  for (const proxy of proxies) proxy.close()
})

async function start(proxies: NearProxy[], limits: Limits, rules: string[] = []): Promise<NearProxy> {
  const proxy = await nearProxy({
    logins: [makeLogin('test', 'alice', 'x', limits)],
    rules: parseRules(rules),
  })
  proxies.push(proxy)
  return proxy
}

for (const outbound of ['tunnel', 'direct'] as const)
  test(`${outbound}: packets are told with their user, and counted to the byte`, async ({
    echo,
    proxies,
  }) => {
    const proxy = await start(proxies, {}, [`${outbound} *`])
    const association = await udpAssociation({ proxy: proxy.port, user: 'alice-session-1' })
    for (let i = 1; i <= 5; i++) {
      association.send({ host, port: echo.port }, 'x'.repeat(100 * i))
      await until(() => association.received.length === i, `answer ${i}`)
    }
    await association.end()
    await until(() => proxy.told('connection.closed').length === 1, 'the end')
    const [opened] = proxy.told('connection.opened')
    const [closed] = proxy.told('connection.closed')
    assert.equal([opened!.user, opened!.outbound], ['alice', outbound])
    assert.equal([closed!.user, closed!.bytesUp, closed!.bytesDown], ['alice', 1_500, 1_500])
    association.close()
  })

test('at its quota an association is ended, and another refused', async ({ echo, proxies }) => {
  const proxy = await start(proxies, { quota: { bytes: 1_000, period: 'day' } })
  const association = await udpAssociation({ proxy: proxy.port, user: 'alice' })
  for (let i = 0; i < 5; i++) association.send({ host, port: echo.port }, 'x'.repeat(300))
  await association.closed
  const [reached] = proxy.told('quota.reached')
  assert.is(reached?.user, 'alice')
  try {
    await udpAssociation({ proxy: proxy.port, user: 'alice' })
    assert.unreachable()
  } catch (error) {
    assert.instance(error, SocksError)
    assert.is((error as SocksError).reply, 2)
  }
  association.close()
})

test('packets that come faster than the rate are dropped, and an association is a connection', async ({
  echo,
  proxies,
}) => {
  const proxy = await start(proxies, { rate: { up: 20_000, down: 20_000 }, connections: 1 })
  const association = await udpAssociation({ proxy: proxy.port, user: 'alice' })
  let refused: unknown
  await udpAssociation({ proxy: proxy.port, user: 'alice' }).catch(error => {
    refused = (error as SocksError).reply
  })
  assert.is(refused, 2)
  const began = performance.now()
  for (let i = 0; i < 100; i++) association.send({ host, port: echo.port }, Buffer.alloc(1_000))
  // The last one is sent again and again, until there is room for it.
  await until(() => {
    association.send({ host, port: echo.port }, 'last')
    return association.received.some(({ data }) => data.toString() === 'last')
  }, 'the last packet')
  const bytes = association.received.reduce((sum, { data }) => sum + data.length, 0)
  const allowed = 16_384 + 1_000 + ((performance.now() - began) / 1_000) * 20_000
  assert.ok(bytes <= allowed, `${bytes} of ${allowed}`)
  await association.end()
  association.close()
  const next = await udpAssociation({ proxy: proxy.port, user: 'alice' })
  next.close()
})

test.run()
