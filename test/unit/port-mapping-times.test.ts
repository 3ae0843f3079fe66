import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askGateway } from '../../tunnel/nat/port-mapping/ask-gateway.ts'
import { createPortMapper, type PortMapperOptions, renewalMs } from '../../tunnel/nat/port-mapping/mapper.ts'
import { type MappingProtocol, PortMappingError, type Router } from '../../tunnel/nat/port-mapping/router.ts'
import { discoverDescription } from '../../tunnel/nat/port-mapping/upnp/discover.ts'
import { errorData } from '../../tunnel/net/coded-error.ts'
import { openUdpSocket } from '../../tunnel/net/udp/open.ts'
import { until } from '../support/until.ts'

// When a router is asked again, and when it is given up. No answer here depends on how fast this machine is.

const test = suite('Times of port mapping')

const never = new AbortController().signal
const localAddress = '127.0.0.1'
const router = (protocol: MappingProtocol): Router => ({
  protocol,
  map: async ({ lifetimeS }) => ({ external: { address: '203.0.113.7', port: 1 }, lifetimeS }),
  unmap: async () => {},
})
const mapperOf = (find: PortMapperOptions['find'], options: PortMapperOptions = {}) =>
  createPortMapper({
    findGateway: async () => ({ address: '192.168.1.1', localAddress: '192.168.1.7' }),
    ...(find && { find }),
    ...options,
  })

/** A router on loopback that says what it is told to. */
async function listen(
  port: number,
  address: string,
  answer: (count: number) => string | undefined = () => undefined,
) {
  const socket = await openUdpSocket({ address, port })
  const heard: string[] = []
  socket.onDatagram = (datagram, from, fromPort) => {
    heard.push(Buffer.from(datagram).toString())
    const says = answer(heard.length)
    if (says !== undefined) socket.send(Buffer.from(says), { address: from, port: fromPort })
  }
  return { heard, close: () => socket.close() }
}

const read = (answer: Buffer) => answer.toString()
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    error => errorData(error).code,
  )

// Other systems have one address of loopback.
if (process.platform === 'linux') {
  test('a request that is not answered is repeated ever more rarely, and given up', async () => {
    const gateway = { address: '127.53.51.11', localAddress }
    const { heard, close } = await listen(5_351, gateway.address)
    try {
      const asking = askGateway(gateway, Buffer.from('ask'), read, never)
      assert.is(await codeOf(asking), 'E_PORT_MAPPING_SILENT')
      // After 250, 500 and 1,000 ms; a busy machine sends fewer.
      assert.ok(heard.length >= 2 && heard.length <= 4, `it was sent ${heard.length} times`)
    } finally {
      close()
    }
  })

  test('a request that was lost is answered when it comes again', async () => {
    const gateway = { address: '127.53.51.12', localAddress }
    const { close } = await listen(5_351, gateway.address, count => (count > 1 ? 'yes' : undefined))
    try {
      assert.is(await askGateway(gateway, Buffer.from('ask'), read, never), 'yes')
    } finally {
      close()
    }
  })

  test('a UPnP router is searched for twice, and given up', async () => {
    const gateway = { address: '127.53.51.13', localAddress }
    const { heard, close } = await listen(1_900, gateway.address)
    try {
      assert.is(await codeOf(discoverDescription(gateway, never)), 'E_PORT_MAPPING_SILENT')
      const [one, two, ...others] = [...new Set(heard)]
      assert.equal(others, [])
      for (const search of [one, two]) assert.is(heard.filter(each => each === search).length, 2)
    } finally {
      close()
    }
  })
}

test('a mapping is renewed when half of it is over, and soon after that failed', () => {
  for (const [seconds, failed, ms] of [
    [600, false, 300_000],
    [7_200, false, 3_600_000],
    [600, true, 15_000],
    [10, true, 5_000],
  ] as const)
    assert.is(renewalMs(seconds, failed), ms, `${seconds} s`)
})

test('a better protocol that answers a moment later is taken', async () => {
  const mapper = mapperOf({
    upnp: async () => router('upnp'),
    async 'nat-pmp'() {
      await sleep(5)
      return router('nat-pmp')
    },
  })
  assert.is((await mapper.open(1))?.protocol, 'nat-pmp')
  await mapper.close()
})

test('where nobody answered it is asked again after a while, and not before', async () => {
  for (const [forgetMs, times] of [
    [60_000, 1],
    [1, 2],
  ] as const) {
    let asked = 0
    const find = {
      async pcp() {
        asked++
        throw new PortMappingError('E_PORT_MAPPING_SILENT', 'silent')
      },
    }
    const mapper = mapperOf(find, { forgetMs })
    assert.is(await mapper.open(1), undefined)
    const before = performance.now()
    await until(() => performance.now() > before + 5, 'a while')
    assert.is(await mapper.open(2), undefined)
    assert.is(asked, times)
    await mapper.close()
  }
})

test.run()
