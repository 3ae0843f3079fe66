import * as v from 'valibot'
import { FrameError } from './address.ts'

/** The version of these frames. */
export const controlVersion = 1

const word = v.pipe(v.string(), v.regex(/^[\w.+-]{1,32}$/))
const engine = v.object({ name: word, version: word })

/** Stream ids that one message may name. */
export const maxStreams = 256
const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const streams = v.pipe(v.array(natural), v.maxLength(maxStreams))
/** Breaks that one message may tell. */
export const maxBreaks = 128

/**
 * What the control stream carries, each as a 16-bit length and that much JSON. It is the first stream
 * that the function opens, and it lives as long as the connection.
 */
const controlSchema = v.variant('type', [
  /** The function's first word: who it is and how long it has. */
  v.object({
    type: v.literal('hello'),
    version: v.number(),
    region: v.pipe(v.string(), v.maxLength(64)),
    /** The exit's public address, as STUN saw it. */
    address: v.pipe(v.string(), v.ip()),
    /** How many milliseconds from now the function has left. */
    remaining_ms: v.pipe(v.number(), v.minValue(0)),
    memory_mb: v.number(),
    request_id: v.pipe(v.string(), v.maxLength(128)),
    /** Its processor's, as Lambda names it: the price of its time goes by it. */
    architecture: v.optional(word),
    /** What runs QUIC there. */
    engine: v.optional(engine),
  }),
  /** The client's answer to a hello that names an engine: what runs QUIC at its end. */
  v.object({ type: v.literal('welcome'), engine }),
  v.object({ type: v.literal('ping'), id: v.number() }),
  v.object({ type: v.literal('pong'), id: v.number() }),
  /** The function has this long to live: send no new streams, and finish what is open. */
  v.object({ type: v.literal('drain'), remaining_ms: v.pipe(v.number(), v.minValue(0)) }),
  /** Are these over at your end? Nothing has come on them for a while, and their end may have been lost. */
  v.object({ type: v.literal('overdue'), streams }),
  /** Those of them that are: all that was sent on them has been acknowledged. */
  v.object({ type: v.literal('over'), ended: streams, aborted: streams }),
  /**
   * These streams break off, each behind so many bytes of the sender's, an end counted as one: what comes before still
   * counts, which a reset would throw away. Who has read so far resets the stream.
   */
  v.object({
    type: v.literal('broken'),
    breaks: v.pipe(v.array(v.object({ stream: natural, at: natural })), v.maxLength(maxBreaks)),
  }),
  /** The client is done: the function may stop at once. */
  v.object({ type: v.literal('bye') }),
])
export type ControlMessage = v.InferOutput<typeof controlSchema>
export type Hello = Extract<ControlMessage, { type: 'hello' }>

/** A longer one is not ours. Bytes. */
const maxMessageLength = 4096

/** Throws a FrameError when the message is longer than 4,096 bytes. */
export function encodeControl(message: ControlMessage): Buffer {
  const json = Buffer.from(JSON.stringify(message))
  if (json.length > maxMessageLength) throw new FrameError('a control message is too long')
  return Buffer.concat([Buffer.of(json.length >> 8, json.length & 255), json])
}

/** Cuts the byte stream of the control stream into messages. */
export class ControlDecoder {
  #pending: Buffer = Buffer.alloc(0)

  /** The messages that these bytes complete. Throws a FrameError when they are not control messages. */
  push(chunk: Uint8Array): ControlMessage[] {
    this.#pending = Buffer.concat([this.#pending, chunk])
    const messages: ControlMessage[] = []
    while (this.#pending.length >= 2) {
      const length = this.#pending.readUInt16BE(0)
      if (length > maxMessageLength) throw new FrameError(`a control message of ${length} bytes is too long`)
      if (this.#pending.length < 2 + length) break
      const message = parse(this.#pending.subarray(2, 2 + length))
      if (message) messages.push(message)
      this.#pending = this.#pending.subarray(2 + length)
    }
    return messages
  }
}

// --- internal ---

/** A type that this release does not know is passed over: a later one may say more. */
function parse(json: Buffer): ControlMessage | undefined {
  try {
    const value: unknown = JSON.parse(json.toString())
    return types.has(v.parse(typed, value).type) ? v.parse(controlSchema, value) : undefined
  } catch {
    throw new FrameError('a control message is malformed')
  }
}

const typed = v.object({ type: v.string() })
const types: ReadonlySet<string> = new Set(controlSchema.options.map(({ entries }) => entries.type.literal))
