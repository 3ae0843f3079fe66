import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type LossRule, lostByNatPmp, lostByPcp } from '../../tunnel/nat/port-mapping/epoch.ts'
import { createPortMapper } from '../../tunnel/nat/port-mapping/mapper.ts'
import { findNatPmp } from '../../tunnel/nat/port-mapping/nat-pmp.ts'
import { findPcp } from '../../tunnel/nat/port-mapping/pcp.ts'
import type { MappingProtocol } from '../../tunnel/nat/port-mapping/router.ts'
import { openUdpSocket } from '../../tunnel/net/udp/open.ts'
import { until } from '../support/until.ts'

// A router that starts again has lost its mappings, and its clock tells.

const test = suite('The clock of a router')

test('the rules are those of the two RFCs', () => {
  for (const [routerS, hereS, natPmp, pcp] of [
    // As it should be, and off by what is let pass.
    [1_100, 100, false, false],
    [1_100, 94, false, false],
    [1_092, 100, false, false],
    [1_001, 3, false, false],
    // Slower by an eighth is too much for PCP alone.
    [1_086, 100, false, true],
    [1_080, 100, true, true],
    // It runs ahead: NAT-PMP has no word on that.
    [1_200, 100, false, true],
    // It began anew.
    [0, 0, true, true],
    [0, 300, true, true],
    [299, 300, true, true],
    [999, 0, false, false],
    [998, 0, false, true],
  ] as const) {
    const lost = (rule: LossRule) => rule({ routerS: 1_000, hereS: 0 }, { routerS, hereS })
    assert.equal([lost(lostByNatPmp), lost(lostByPcp)], [natPmp, pcp], `${routerS} after ${hereS} s`)
  }
})

/** A router on loopback that opens every port by PCP and NAT-PMP, and the clock that it tells. */
async function startRouter(address: string) {
  const socket = await openUdpSocket({ address, port: 5_351 })
  const router = { epoch: 1_000, mapped: [] as number[], close: () => socket.close() }
  socket.onDatagram = (datagram, from, port) => {
    const request = Buffer.from(datagram)
    const isPcp = request[0] === 2
    const isMap = request[1] === 1
    const answer = Buffer.alloc(isPcp ? request.length : isMap ? 16 : 12)
    if (isPcp) {
      request.copy(answer)
      answer.fill(0, 2, 4)
      answer.writeUInt32BE(router.epoch, 8)
      if (isMap) Buffer.from('00000000000000000000ffffcb007107', 'hex').copy(answer, 44)
    } else {
      answer.writeUInt32BE(router.epoch, 4)
      if (isMap) request.copy(answer, 8, 4, 12)
      else Buffer.from('cb007107', 'hex').copy(answer, 8)
    }
    answer[0] = request[0]!
    answer[1] = 0x80 | request[1]!
    if (isMap) router.mapped.push(request.readUInt16BE(isPcp ? 40 : 4))
    socket.send(answer, { address: from, port })
  }
  return router
}

for (const [find, address] of [
  [{ pcp: findPcp }, '127.53.51.1'],
  [{ 'nat-pmp': findNatPmp }, '127.53.51.2'],
] as const) {
  const [protocol] = Object.keys(find) as MappingProtocol[]
  // Other systems have one address of loopback.
  if (process.platform !== 'linux') continue
  test(`${protocol}: all ports are made anew as soon as one answer tells that they are lost, and once`, async () => {
    const router = await startRouter(address)
    const mapper = createPortMapper({
      findGateway: async () => ({ address, localAddress: '127.0.0.1' }),
      find,
    })
    try {
      for (const port of [1, 2, 3]) assert.is((await mapper.open(port))?.protocol, protocol)
      assert.equal(router.mapped, [1, 2, 3])
      // Their renewal is minutes away.
      router.epoch = 5
      await mapper.open(4)
      await until(() => router.mapped.length === 7, 'the others to be made anew')
      assert.equal(router.mapped.slice(3).toSorted(), [1, 2, 3, 4])
      // A clock that jumps about is not followed for ever.
      router.epoch = 2_000
      await mapper.open(5)
      router.epoch = 1
      await mapper.open(6)
      assert.equal(router.mapped.slice(7), [5, 6])
    } finally {
      await mapper.close()
      router.close()
    }
  })
}

test.run()
