import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { constants, createMessage, decode } from 'stun'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { netcheck } from '../../tunnel/nat/netcheck.ts'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import { closeAfterEach } from '../support/close-after-each.ts'

// What is made of servers that do not do what they say, or nothing at all. What right ones show is tested behind
// real NATs, in the lab, and with coturn.

interface Manner {
  /** What it says its other address and port are. */
  other?: Endpoint
  /** The address that it says it sees, in place of the true one. */
  mapped?: Endpoint
  /** An error in place of an answer. */
  refuses?: boolean
}

interface Context {
  /** Starts a server that answers each request, whatever it asks, from where it was sent to; its port. */
  server(address: string, port?: number, manner?: Manner): Promise<number>
}

const test = suite<Context>('netcheck')
const later = closeAfterEach(test)

test.before.each(context => {
  context.server = async (address, port = 0, { other, mapped, refuses = false } = {}) => {
    const socket = later(createSocket('udp4'))
    socket.on('message', (datagram, from) => {
      const type = refuses ? constants.STUN_BINDING_ERROR_RESPONSE! : constants.STUN_BINDING_RESPONSE!
      const answer = createMessage(type, decode(datagram).transactionId)
      const seen = mapped ?? from
      if (!refuses) answer.addXorAddress(seen.address, seen.port)
      if (other) answer.addAttribute(constants.STUN_ATTR_OTHER_ADDRESS!, other.address, other.port)
      socket.send(answer.toBuffer(), from.port, from.address)
    })
    socket.bind(port, address)
    await once(socket, 'listening')
    return socket.address().port
  }
})

const [first, second] = ['127.0.0.1', '127.0.0.2'] as const
const at = (port: number, host: string = first) => ({ host, port })

test('a server that answers from the same place whatever it is asked shows how a NAT maps, not how it filters', async ({
  server,
}) => {
  const alternate = await server(second)
  const port = await server(first, 0, { other: { address: second, port: alternate } })
  await server(second, port)
  const { mapping, filtering, testedWith } = await netcheck([at(port)])
  assert.is(testedWith, `${first}:${port}`)
  assert.is(mapping, 'endpoint-independent')
  assert.is(filtering, 'unknown')
})

test('a server whose other address is silent is not tested with', async ({ server }) => {
  const port = await server(first, 0, { other: { address: second, port: 9 } })
  const { mapping, filtering, testedWith } = await netcheck([at(port)])
  assert.equal([mapping, filtering, testedWith], ['unknown', 'unknown', undefined])
})

test('a server whose other address is its own is not tested with', async ({ server }) => {
  const alternate = await server(first)
  const port = await server(first, 0, { other: { address: first, port: alternate } })
  const { mapping, testedWith } = await netcheck([at(port)])
  assert.equal([mapping, testedWith], ['unknown', undefined])
})

test('two servers that see one address find a cone, two that see two a symmetric NAT', async ({ server }) => {
  const seen = { address: '203.0.113.2', port: 4500 }
  const one = await server(first, 0, { mapped: seen })
  const same = await server(second, 0, { mapped: seen })
  const another = await server(second, 0, { mapped: { ...seen, port: 4501 } })
  const cone = await netcheck([at(one), at(same, second)])
  assert.equal([cone.mapping, cone.isOwn, cone.mapped], ['endpoint-independent', false, seen])
  assert.is((await netcheck([at(one), at(another, second)])).mapping, 'address-dependent')
})

test('servers that are silent, refuse or have no name do not keep the others from being heard', async ({
  server,
}) => {
  const port = await server(first)
  const refusing = await server(first, 0, { refuses: true })
  const silent = createSocket('udp4').bind(0, first)
  await once(silent, 'listening')
  const { servers, isOwn, hairpinning } = await netcheck([
    at(silent.address().port),
    at(refusing),
    { host: 'no-such-name.invalid', port: 3478 },
    at(port),
  ])
  silent.close()
  assert.equal(
    servers.map(({ outcome }) => outcome),
    ['silent', 'refused', 'name-not-found', 'answered'],
  )
  assert.ok(isOwn)
  assert.is(hairpinning, true)
})

test('with nobody to ask nothing is known', async () => {
  const { mapped, mapping, filtering, hairpinning } = await netcheck([at(9)])
  assert.equal([mapped, mapping, filtering, hairpinning], [undefined, 'unknown', 'unknown', undefined])
})

test.run()
