import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ClientLocation, locate, locateOnceMore } from '../../cli/client/fleet/locate.ts'
import { startStun } from '../../cli/cloud/stun.ts'
import type { PortMapper } from '../../tunnel/nat/port-mapping/mapper.ts'
import { StunError } from '../../tunnel/nat/stun/discover.ts'
import type { Allocation } from '../../tunnel/nat/turn/allocation.ts'
import { openUdpSocket } from '../../tunnel/net/udp/open.ts'
import type { UdpSocket } from '../../tunnel/net/udp/socket.ts'
import { closeAfterEach } from '../support/close-after-each.ts'

interface Context {
  socket: UdpSocket
}

const host = '127.0.0.1'
const test = suite<Context>('where a socket is seen')
const later = closeAfterEach(test)

test.before.each(async context => {
  context.socket = later(await openUdpSocket({ address: host }))
})

/** A STUN server's port, or one that hears and says nothing. */
async function server(silent: boolean): Promise<number> {
  if (!silent) return later(await startStun(host, 0)).port
  const deaf = later(createSocket('udp4')).bind(0, host)
  await once(deaf, 'listening')
  return deaf.address().port
}

const names = (...ports: number[]) => ports.map(port => ({ host, port }))

test('two servers’ views give the address and how the NAT maps', async context => {
  const stunServers = names(await server(false), await server(false))
  const { port } = context.socket.local
  const { views, ...location } = await locate(context.socket, { stunServers, lastAddress: '192.0.2.9' })
  const here = { address: host, port }
  assert.equal(location, {
    local: here,
    mapped: here,
    mapping: 'endpoint-independent',
    candidates: [{ ...here, kind: 'server-reflexive' }],
    detail: `${host}:${port}`,
  })
  assert.equal(
    views.map(({ mapped }) => mapped),
    [here, here],
  )
})

test('where the second is silent one view serves, and nothing is claimed of the NAT', async context => {
  const stunServers = names(await server(false), await server(true))
  assert.is((await locate(context.socket, { stunServers })).mapping, 'unknown')
})

test('where all are silent the last known address is tried with the socket’s own port, and is called a guess', async context => {
  const stunServers = names(await server(true))
  const { mapped, mapping, detail } = await locate(context.socket, { stunServers, lastAddress: '192.0.2.9' })
  assert.equal(mapped, { address: '192.0.2.9', port: context.socket.local.port })
  assert.is(mapping, 'unknown')
  assert.match(detail, 'a guess from an earlier session: no STUN server answered')
})

/** A router that opens a port at this address, and what was closed again. */
function routerAt(address: string): { portMapper: PortMapper; released: number[] } {
  const released: number[] = []
  const portMapper: PortMapper = {
    open: async port => ({ external: { address, port: port - 1 }, protocol: 'upnp' }),
    release: async port => void released.push(port),
    close: async () => {},
  }
  return { portMapper, released }
}

test('a port that the router opened where STUN saw the socket is the first candidate', async context => {
  const stunServers = names(await server(false))
  const { portMapper, released } = routerAt(host)
  const { port } = context.socket.local
  const { candidates, detail } = await locate(context.socket, { stunServers, portMapper })
  assert.equal(candidates, [
    { address: host, port: port - 1, kind: 'mapped' },
    { address: host, port, kind: 'server-reflexive' },
  ])
  assert.match(detail, `port ${port - 1} opened by the router (UPnP)`)
  assert.equal(released, [])
})

test('one that it opened elsewhere is no candidate, and is closed again', async context => {
  const stunServers = names(await server(false))
  for (const address of ['100.64.0.2', '9.9.9.9']) {
    const { portMapper, released } = routerAt(address)
    const { candidates } = await locate(context.socket, { stunServers, portMapper })
    assert.equal(
      candidates.map(({ kind }) => kind),
      ['server-reflexive'],
    )
    assert.equal(released, [context.socket.local.port])
  }
})

test('where all are silent the router’s word for a public address stands in', async context => {
  const stunServers = names(await server(true))
  const ask = (address: string) =>
    locate(context.socket, { stunServers, lastAddress: '192.0.2.9', ...routerAt(address) })
  const { mapped, candidates, detail } = await ask('9.9.9.9')
  assert.is(mapped.address, '9.9.9.9')
  assert.equal(candidates[0], { address: '9.9.9.9', port: mapped.port - 1, kind: 'mapped' })
  assert.match(detail, 'by the router’s word')
  assert.is((await ask('10.0.0.1')).mapped.address, '192.0.2.9')
})

test('what a relay alone told is not asked for again, and what STUN told is', async context => {
  const mapped = { address: host, port: 1 }
  const relay = { local: { address: host, port: 2 } } as Allocation
  const before: ClientLocation = {
    ...{ local: mapped, mapped, mapping: 'unknown', candidates: [], views: [], detail: '', relay },
  }
  const unasked = { stunServers: [{ host: 'nowhere.invalid', port: 1 }] }
  assert.is(await locateOnceMore(context.socket, before, unasked), before)

  const stunServers = names(await server(false))
  const first = await locate(context.socket, { stunServers })
  const again = await locateOnceMore(context.socket, { ...first, mapped, relay }, { stunServers })
  assert.is(again.mapped.port, context.socket.local.port)
  assert.is(again.relay, relay)
})

test('with no address to fall back on it fails, and says so', async context => {
  try {
    await locate(context.socket, { stunServers: [{ host: 'nowhere.invalid', port: 1 }] })
  } catch (error) {
    return assert.instance(error, StunError)
  }
  throw new Error('it was to fail')
})

test('an abort is not taken for silence', async context => {
  const stop = new AbortController()
  stop.abort(new Error('enough'))
  const options = { stunServers: names(1), lastAddress: '192.0.2.9', signal: stop.signal }
  try {
    await locate(context.socket, options)
  } catch (error) {
    return assert.is((error as Error).message, 'enough')
  }
  throw new Error('it was to fail')
})

test.run()
