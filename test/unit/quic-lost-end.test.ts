import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { type End, listenTo, nextStream, openControl, type QuicPair, quicPair } from '../support/quic-pair.ts'
import { until } from '../support/until.ts'

const test = suite<{ pair: QuicPair }>('the end of a stream')

test.before.each(async context => {
  context.pair = await quicPair()
})
test.after.each(({ pair }) => pair.close())

/** Lets this end hear no datagram for which `deaf` says so. */
function muffle({ socket }: End, deaf: () => boolean): void {
  const { onDatagram } = socket
  socket.onDatagram = (...datagram) => {
    if (!deaf()) onDatagram(...datagram)
  }
}

test('is heard although all bytes sent with it had come before', async ({ pair }) => {
  const { client, exit } = pair
  const { near, stream } = await asked(pair)

  // The answer arrives, but its acknowledgement does not; then its end is lost, and both are sent again in one.
  let acknowledges = false
  let lost = 0
  muffle(exit, () => !acknowledges)
  const heard = listenTo(near)
  stream.write(Buffer.from('answer'))
  await until(() => heard.text === 'answer', 'the answer')
  muffle(client, () => lost === 0 && ++lost > 0)
  stream.end()
  await until(() => lost === 1, 'the end to be lost')
  acknowledges = true

  await until(() => heard.ended, 'the end')
  assert.not(near.aborted)
  assert.is(heard.text, 'answer')
})

test('is sent although the other end comes at the same moment', async ({ pair }) => {
  const { exit } = pair
  const { near, stream, question } = await asked(pair)
  const heard = listenTo(near)
  stream.write(Buffer.from('answer'))
  await until(() => heard.text === 'answer', 'the answer')

  // The exit ends, and before its loop has turned it hears the client's end, and that the answer has come.
  const { onDatagram } = exit.socket
  exit.socket.onDatagram = (...datagram) => {
    stream.end()
    onDatagram(...datagram)
  }
  near.end()
  await until(() => heard.ended && question.ended, 'both ends')
  assert.not(near.aborted || stream.aborted)
})

test('is asked for when it was lost and the other end has forgotten the stream', async ({ pair }) => {
  const { client, exit } = pair
  const { near, stream, heard } = await answered(pair)
  let deaf = true
  muffle(client, () => deaf)
  stream.end()
  near.end()
  await until(() => isForgotten(exit, stream), 'the exit to forget the stream')
  deaf = false
  await until(() => heard.ended, 'the end')
  assert.not(near.aborted || stream.aborted)
  assert.is(heard.text, 'answer')
  assert.equal([client.connection.streams, exit.connection.streams], [1, 1])
})

test('is an abort when it was an abort that was lost', async ({ pair }) => {
  const { client, exit } = pair
  const { near, stream, heard, question } = await answered(pair)
  near.end()
  await until(() => question.ended, "the client's end")
  // More comes and is acknowledged, but the abort leaves before that is heard, and is lost.
  const release = hold(exit)
  stream.write(Buffer.from(', and more'))
  await until(() => heard.text === 'answer, and more', 'the rest of the answer')
  let deaf = true
  muffle(client, () => deaf)
  stream.abort(0)
  release()
  await until(() => isForgotten(exit, stream), 'the exit to forget the stream')
  assert.equal(exit.connection.statusOf([near.id]), { ended: [], aborted: [near.id] })
  deaf = false
  await until(() => near.aborted, 'the abort')
  assert.not(heard.ended)
})

test.run()

// --- internal ---

/** A stream by which the exit has been asked something. */
async function asked({ client, exit }: QuicPair) {
  const far = nextStream(exit)
  const near = client.connection.open()
  near.write(Buffer.from('question'))
  const stream = await far
  const question = listenTo(stream)
  await until(() => question.text === 'question', 'the question')
  return { near, stream, question }
}

/** Two ends with a control stream, and a stream on which both have been heard. */
async function answered(pair: QuicPair) {
  await openControl(pair)
  const { near, stream, question } = await asked(pair)
  const heard = listenTo(near)
  stream.write(Buffer.from('answer'))
  await until(() => heard.text === 'answer', 'the answer')
  return { near, stream, heard, question }
}

/** Lets this end hear nothing until what was held is released. */
function hold({ socket }: End): () => void {
  const { onDatagram } = socket
  const held: Parameters<typeof onDatagram>[] = []
  socket.onDatagram = (datagram, ...from) => held.push([new Uint8Array(datagram), ...from])
  return () => {
    socket.onDatagram = onDatagram
    for (const datagram of held) onDatagram(...datagram)
  }
}

/** Whether the engine has: what was lost of it is then not sent again. */
function isForgotten({ connection }: End, { id }: QuicStream): boolean {
  const { ended, aborted } = connection.statusOf([id])
  return ended.length + aborted.length > 0
}
