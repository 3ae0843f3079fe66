import * as assert from 'uvu/assert'
import { answers, associationSuite } from '../support/association-suite.ts'
import { SocksError } from '../support/socks-client.ts'
import { type Association, vacated } from '../support/udp-client.ts'
import { until } from '../support/until.ts'

const test = associationSuite('room for UDP associations')
const host = '127.0.0.1'

test('1,030 associations at once are all served', async ({ proxy, open, echo }) => {
  const { port, told } = await proxy()
  const all: Association[] = []
  while (all.length < 1_030)
    all.push(...(await Promise.all(Array.from({ length: 103 }, () => open({ proxy: port })))))
  for (const association of all) {
    association.send({ host, port: echo.port }, 'hello')
    // Not faster than one machine's buffers take it.
    await answers(association, 1)
  }
  assert.is(new Set(echo.from.map(({ port }) => port)).size, 1_030)
  assert.equal(told('client.rejected'), [])
})

test('where there are too many, the idle one gives way, with its TCP connection', async ({
  proxy,
  open,
  echo,
}) => {
  const { port } = await proxy({ limits: { associations: 3, associationIdleMs: 0 } })
  const [first, second, third] = [
    await open({ proxy: port }),
    await open({ proxy: port }),
    await open({ proxy: port }),
  ]
  for (const association of [first, third]) {
    association.send({ host, port: echo.port }, 'in use')
    await answers(association, 1)
  }
  const fourth = await open({ proxy: port })
  await second.closed
  await vacated(second.relay.port, 'the relay of the idle one')
  for (const association of [first, third, fourth]) {
    association.send({ host, port: echo.port }, 'still here')
    await until(() => String(association.received.at(-1)?.data) === 'still here', 'an answer')
  }
})

test('where none is idle a new one is refused, and that is told', async ({ proxy, open }) => {
  const { port, told } = await proxy({ limits: { associations: 3 } })
  const [first] = [await open({ proxy: port }), await open({ proxy: port }), await open({ proxy: port })]
  try {
    await open({ proxy: port })
    assert.unreachable()
  } catch (error) {
    assert.instance(error, SocksError)
    assert.is((error as SocksError).reply, 1)
  }
  const [{ code, hint } = { code: '', hint: '' }] = told('client.rejected')
  assert.is(code, 'E_ASSOCIATIONS_FULL')
  assert.ok(hint)
  await first.end()
  await open({ proxy: port })
})

test('what an exit has no room for is told', async ({ proxy, open, echo }) => {
  const { port, told } = await proxy({ exit: { associations: { max: 1 } } })
  const [first, second] = [await open({ proxy: port }), await open({ proxy: port })]
  first.send({ host, port: echo.port }, 'first')
  await answers(first, 1)
  for (let i = 0; i < 20; i++) second.send({ host, port: echo.port }, 'second')
  await until(() => told('connection.refused').length > 0, 'the refusal')
  assert.equal(
    told('connection.refused').map(({ code, outbound }) => [code, outbound]),
    [['E_ASSOCIATIONS_FULL', 'tunnel']],
  )
  await first.end()
  const knock = setInterval(() => second.send({ host, port: echo.port }, 'second'), 100)
  await answers(second, 1)
  clearInterval(knock)
})

test.run()
