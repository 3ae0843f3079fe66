import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startStun } from '../../cli/cloud/stun.ts'
import { ListenError } from '../../cli/input/listen-error.ts'
import { inWords } from '../../cli/output/advice.ts'
import { bindingRequest, parseStun } from '../../tunnel/nat/stun/message.ts'
import { patient } from '../support/patience.ts'

const test = suite('local STUN')
const host = '127.0.0.1'

/** Sends a Binding request until it is answered (a flooded socket may lose some); 5 seconds at most. */
async function ask(port: number) {
  const socket = createSocket('udp4')
  const { datagram, transactionId } = bindingRequest()
  const again = setInterval(() => socket.send(datagram, port, host), 100)
  try {
    socket.send(datagram, port, host)
    const [response] = await once(socket, 'message', { signal: AbortSignal.timeout(patient(5_000)) })
    return { response: parseStun(response), transactionId, own: socket.address() }
  } finally {
    clearInterval(again)
    socket.close()
  }
}

test('a Binding request is answered with the address and port it came from', async () => {
  const stun = await startStun(host, 0)
  const { response, transactionId, own } = await ask(stun.port)
  assert.is(response?.kind, 'success')
  assert.is(response?.transactionId, transactionId)
  assert.equal(response?.mapped, { address: host, port: own.port })
  await stun.close()
})

test('10,000 random datagrams, among them broken STUN messages, do no harm', async () => {
  const stun = await startStun(host, 0)
  const socket = createSocket('udp4')
  const answers: Buffer[] = []
  socket.on('message', message => answers.push(message))
  for (let i = 0; i < 10_000; i++) {
    const datagram = crypto.getRandomValues(Buffer.alloc((i * 7) % 200))
    // A third has a true header with random attributes; another third a STUN type with a random header.
    if (i % 3 === 0) bindingRequest().datagram.copy(datagram)
    if (i % 3 === 0 && datagram.length >= 20) datagram.writeUInt16BE(datagram.length - 20, 2)
    if (i % 3 === 1 && datagram.length > 0) datagram[0] = i % 4
    await new Promise(resolve => socket.send(datagram, stun.port, host, resolve))
  }
  const { response } = await ask(stun.port)
  assert.is(response?.kind, 'success')
  // What was decodable as a request may be answered; nothing else.
  for (const answer of answers) assert.is(parseStun(answer)?.kind, 'success')
  socket.close()
  await stun.close()
})

test('a port in use is named, with the option that changes it', async () => {
  const first = await startStun(host, 0)
  try {
    await startStun(host, first.port)
    assert.unreachable('the port was taken twice')
  } catch (error) {
    assert.instance(error, ListenError)
    assert.match(String(error), `${first.port}`)
    assert.match(inWords(error).join(), '--stun-port')
  }
  await first.close()
})

test('the port is free again after close', async () => {
  const first = await startStun(host, 0)
  await first.close()
  const second = await startStun(host, first.port)
  await second.close()
})

test.run()
