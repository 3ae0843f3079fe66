import { encodeTarget } from '../../tunnel/session/frames/address.ts'
import { decodeReply, type Reply, replyLength } from '../../tunnel/session/frames/reply.ts'
import { type RawClient, rawClient } from './raw-client.ts'

// A SOCKS5 request sent and its reply read byte by byte (RFC 1928), with no library in between.

export const command = { connect: 1, bind: 2, associate: 3 } as const

/** Asks for a target by what kind of host it is; the reply as it came. The client is left open. */
export async function ask(
  proxy: number,
  host: string,
  port: number,
  cmd: number = command.connect,
): Promise<{ reply: Reply; client: RawClient }> {
  const client = await greeted(proxy)
  client.write(Buffer.concat([Buffer.of(5, cmd, 0), encodeTarget({ host, port })]))
  return { reply: await readReply(client), client }
}

/** A client whose greeting was accepted. */
export async function greeted(proxy: number): Promise<RawClient> {
  const client = await rawClient(proxy)
  client.write(Buffer.of(5, 1, 0))
  const method = await client.read(2)
  if (!method.equals(Buffer.of(5, 0)))
    throw new Error(`the greeting was answered by ${method.toString('hex')}`)
  return client
}

/** VER, REP, RSV, and the address; fails when it is no such reply. */
export async function readReply(client: RawClient): Promise<Reply> {
  const head = await client.read(4)
  if (head.length < 4 || head[0] !== 5 || head[2] !== 0)
    throw new Error(`no reply, but ${head.toString('hex') || 'the end'}`)
  let tail = head.subarray(1)
  for (let length = replyLength(tail); tail.length < length; length = replyLength(tail)) {
    const more = await client.read(length - tail.length)
    if (more.length === 0) throw new Error('the reply is cut off')
    tail = Buffer.concat([tail, more])
  }
  return decodeReply(tail)
}
