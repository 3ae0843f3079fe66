import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createPortMapper,
  openLimitMs,
  type PortMapperOptions,
} from '../../tunnel/nat/port-mapping/mapper.ts'
import {
  type FindRouter,
  type MapRequest,
  PortMappingError,
  type Router,
} from '../../tunnel/nat/port-mapping/router.ts'
import { until } from '../support/until.ts'

const test = suite('Ports that the router opens')

const external = { address: '203.0.113.7', port: 50_000 }

interface FakeRouter extends Router {
  mapped: MapRequest[]
  unmapped: number[]
}

function fakeRouter(protocol: Router['protocol'], lifetimeS = 600): FakeRouter {
  const [mapped, unmapped]: [MapRequest[], number[]] = [[], []]
  return {
    protocol,
    mapped,
    unmapped,
    async map(request) {
      mapped.push(request)
      return { external, lifetimeS }
    },
    unmap: async ({ internalPort }) => void unmapped.push(internalPort),
  }
}

const silent: FindRouter = () => Promise.reject(new PortMappingError('E_PORT_MAPPING_SILENT', 'silent'))
const deaf: FindRouter = (_, signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
const found =
  (router: Router): FindRouter =>
  async () =>
    router

const mapperOf = (find: PortMapperOptions['find'], options: PortMapperOptions = {}) =>
  createPortMapper({
    findGateway: async () => ({ address: '192.168.1.1', localAddress: '192.168.1.7' }),
    ...(find && { find }),
    ...options,
  })

test('a port is opened by the best protocol that answers, and asked for with its own number', async () => {
  const [pcp, upnp] = [fakeRouter('pcp'), fakeRouter('upnp')]
  const mapper = mapperOf({ upnp: found(upnp), pcp: found(pcp), 'nat-pmp': silent })
  const port = await mapper.open(40_000)
  assert.equal([port?.protocol, port?.external], ['pcp', external])
  assert.equal(pcp.mapped, [{ internalPort: 40_000, externalPort: 40_000, lifetimeS: 600 }])
  assert.equal(upnp.mapped, [])
  // Once for a socket, however often it is asked for.
  await mapper.open(40_000)
  assert.is(pcp.mapped.length, 1)
  await mapper.close()
})

test('what one protocol refuses the next is asked for', async () => {
  const pcp = fakeRouter('pcp')
  pcp.map = () => Promise.reject(new PortMappingError('E_PORT_MAPPING_REFUSED', 'no'))
  const mapper = mapperOf({ pcp: found(pcp), upnp: found(fakeRouter('upnp')) })
  assert.is((await mapper.open(40_000))?.protocol, 'upnp')
  await mapper.close()
})

test('a network that says nothing holds a launch up no longer than the limit, and the next not at all', async () => {
  const gone: FindRouter = async (_, signal) => {
    await new Promise(resolve => setTimeout(resolve, openLimitMs / 2))
    signal.throwIfAborted()
    throw new PortMappingError('E_PORT_MAPPING_SILENT', 'silent')
  }
  let asked = 0
  const mapper = mapperOf({
    pcp(gateway, signal) {
      asked++
      return gone(gateway, signal)
    },
  })
  assert.is(await mapper.open(1), undefined)
  assert.is(await mapper.open(2), undefined)
  assert.is(asked, 1)
  await mapper.close()
  const late = mapperOf({ pcp: deaf })
  assert.is(await late.open(1), undefined)
  await late.close()
})

test('without a gateway there is no port, and nobody is asked', async () => {
  const mapper = createPortMapper({
    findGateway: () => Promise.reject(new Error('none')),
    find: { pcp: () => Promise.reject(assert.unreachable('asked')) },
  })
  assert.is(await mapper.open(1), undefined)
  await mapper.close()
})

test('a port that is opened too late is closed again', async () => {
  const pcp = fakeRouter('pcp')
  const grant = Promise.withResolvers<{ external: typeof external; lifetimeS: number }>()
  pcp.map = () => grant.promise
  const mapper = mapperOf({ pcp: found(pcp) })
  assert.is(await mapper.open(40_000), undefined)
  grant.resolve({ external, lifetimeS: 600 })
  await until(() => pcp.unmapped.length === 1, 'the port to be closed')
  assert.equal(pcp.unmapped, [40_000])
  await mapper.close()
})

test('a port is renewed before it ends, with the outside port that it has, until it is released', async () => {
  const pcp = fakeRouter('pcp', 0.02)
  const mapper = mapperOf({ pcp: found(pcp) })
  const of = (port: number) => pcp.mapped.filter(({ internalPort }) => internalPort === port).length
  await mapper.open(40_000)
  await until(() => of(40_000) > 3, 'renewals')
  assert.is(pcp.mapped.at(-1)?.externalPort, external.port)
  await mapper.release(40_000)
  const renewals = of(40_000)
  assert.equal(pcp.unmapped, [40_000])
  await mapper.open(40_001)
  await until(() => of(40_001) > 3, 'renewals of another')
  assert.is(of(40_000), renewals)
  await mapper.close()
})

test('a port that the router moves as it renews it is closed by the number that it has then', async () => {
  const pcp = fakeRouter('pcp')
  const closed: number[] = []
  pcp.map = async request => {
    pcp.mapped.push(request)
    return {
      external: { ...external, port: external.port + Math.min(pcp.mapped.length, 3) },
      lifetimeS: 0.02,
    }
  }
  pcp.unmap = async ({ externalPort }) => void closed.push(externalPort)
  const mapper = mapperOf({ pcp: found(pcp) })
  await mapper.open(40_000)
  await until(() => pcp.mapped.length > 4, 'renewals')
  await mapper.release(40_000)
  assert.equal(closed, [external.port + 3])
  await mapper.close()
})

test('a port that was asked for and not answered is closed, at the end too, and one refused is not', async () => {
  for (const [error, unmapped] of [
    [new PortMappingError('E_PORT_MAPPING_SILENT', 'silent'), [1]],
    [new PortMappingError('E_PORT_MAPPING_MALFORMED', 'port 0'), [1]],
    [new PortMappingError('E_PORT_MAPPING_REFUSED', 'no'), []],
  ] as const) {
    const pcp = fakeRouter('pcp')
    pcp.map = () => Promise.reject(error)
    const mapper = mapperOf({ pcp: found(pcp) })
    assert.is(await mapper.open(1), undefined)
    await mapper.close()
    assert.equal(pcp.unmapped, unmapped, error.code)
  }
  // By UPnP that number may be another machine's by now.
  const upnp = fakeRouter('upnp')
  upnp.map = () => Promise.reject(new PortMappingError('E_PORT_MAPPING_SILENT', 'silent'))
  const unsure = mapperOf({ upnp: found(upnp) })
  assert.is(await unsure.open(1), undefined)
  await unsure.close()
  assert.equal(upnp.unmapped, [])
  // One that is asked for as the program ends.
  const pcp = fakeRouter('pcp')
  const asked = Promise.withResolvers<void>()
  pcp.map = (_, signal) =>
    new Promise((_, reject) => {
      asked.resolve()
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  const mapper = mapperOf({ pcp: found(pcp) })
  const opening = mapper.open(1)
  await asked.promise
  await mapper.close()
  assert.equal([await opening, pcp.unmapped], [undefined, [1]])
})

test('a router that is found too late is not asked', async () => {
  const pcp = fakeRouter('pcp')
  const answer = Promise.withResolvers<Router>()
  const mapper = mapperOf({ pcp: () => answer.promise })
  assert.is(await mapper.open(40_000), undefined)
  answer.resolve(pcp)
  assert.is((await mapper.open(40_001))?.protocol, 'pcp')
  assert.equal(
    pcp.mapped.map(({ internalPort }) => internalPort),
    [40_001],
  )
  await mapper.close()
})

test('at the end nobody waits for routers to be found', async () => {
  const asked = Promise.withResolvers<AbortSignal>()
  const mapper = mapperOf({
    pcp(gateway, signal) {
      asked.resolve(signal)
      return deaf(gateway, signal)
    },
  })
  const opening = mapper.open(1)
  const signal = await asked.promise
  const closing = mapper.close()
  assert.is(signal.aborted, true)
  assert.is(await opening, undefined)
  await closing
})

test('at the end all that is open is closed, and a router that is silent is not waited for', async () => {
  const pcp = fakeRouter('pcp')
  const mapper = mapperOf({ pcp: found(pcp) })
  await Promise.all([mapper.open(1), mapper.open(2)])
  // One that is being released counts as well.
  void mapper.release(1)
  await mapper.close()
  assert.equal(pcp.unmapped.toSorted(), [1, 2])
  assert.is(await mapper.open(3), undefined)

  const dead = fakeRouter('pcp')
  dead.unmap = () => new Promise(() => {})
  const other = mapperOf({ pcp: found(dead) })
  await other.open(1)
  await other.close()
})

test.run()
