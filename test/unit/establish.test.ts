import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CheckList, type Outgoing } from '../../tunnel/nat/ice/check-list.ts'
import type { Allocation } from '../../tunnel/nat/turn/allocation.ts'
import { TurnError } from '../../tunnel/nat/turn/error.ts'
import { quicheEngine } from '../../tunnel/quic/engines/quiche/engine.ts'
import { establish } from '../../tunnel/session/establish.ts'
import type { Side } from '../../tunnel/signalling/documents.ts'
import { anOffer } from '../support/documents.ts'

// A session by a relay whose other end answers checks and is deaf to QUIC. The relay hands packets over.

const test = suite('a session that is being set up')
const relayed = { address: '127.0.0.9', port: 9 }
const other = { address: '127.0.0.8', port: 8 }

/** Sets it up with a relay, and with what `onPunched` does when a pair is nominated. */
function setUp({ signal, lost, onPunched }: { signal?: AbortSignal; lost?: AbortSignal; onPunched(): void }) {
  let list: CheckList | undefined
  const send = (outgoing: readonly Outgoing[]) => {
    for (const { datagram } of outgoing) relay.onDatagram(datagram, other.address, other.port)
  }
  const relay = {
    local: relayed,
    lost: lost ?? new AbortController().signal,
    onDatagram() {},
    send: (datagram: Uint8Array) =>
      send(list?.receive(new Uint8Array(datagram), relayed, performance.now()) ?? []),
    permit() {},
    bind() {},
    close() {},
  } as unknown as Allocation
  const timer = setInterval(() => send(list?.poll(performance.now()) ?? []), 10)
  const there = anOffer({ candidates: [{ type: 'srflx', ...other }] })
  return establish({
    id: there.session_id,
    role: 'server',
    engine: quicheEngine,
    signal,
    allowPrivate: true,
    relayOnly: true,
    locate: async () => ({
      mapped: relayed,
      mapping: 'unknown' as const,
      candidates: [{ ...relayed, kind: 'relayed' as const }],
      relay,
    }),
    async exchange(side: Side) {
      const [local, remote] = [there, side].map(({ ice_ufrag: ufrag, ice_password: password }) => ({
        ufrag,
        password,
      }))
      const candidates = [{ ...relayed, kind: 'relayed' as const }]
      list = new CheckList(
        { local: local!, remote: remote!, candidates, controlling: false },
        performance.now(),
      )
      return there
    },
    // QUIC begins first.
    onPunched: () => void setImmediate(() => setImmediate(onPunched)),
  }).finally(() => clearInterval(timer))
}

test('a relay that is lost ends the handshake with the reason', async () => {
  const loss = new AbortController()
  const reason = new TurnError('E_TURN_LOST', 'turn:example.org:3478', 'closed the connection')
  const error = await setUp({ lost: loss.signal, onPunched: () => loss.abort(reason) }).catch(error => error)
  assert.is(error, reason)
})

test('a session that is called off ends in the handshake as well', async () => {
  const stop = new AbortController()
  const reason = new Error('no longer wanted')
  const error = await setUp({ signal: stop.signal, onPunched: () => stop.abort(reason) }).catch(
    error => error,
  )
  assert.is(error, reason)
})

test.run()
