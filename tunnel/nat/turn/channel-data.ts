// ChannelData (RFC 8656, section 12.4): four bytes before a datagram, in place of an indication's 36 or more; and how it
// and STUN's messages are cut from a stream (section 12.5, and RFC 8489, section 6.2.2).

/** Channels that a client may bind (RFC 8656, section 12). */
export const firstChannel = 0x4000
const lastChannel = 0x4fff
const headLength = 4
const stunHeaderLength = 20
/** The longest message there is, with its padding. */
const maxLength = 65_535 + stunHeaderLength + 3

/** A datagram in its frame; on a stream it is padded to a multiple of four bytes. */
export function channelData(channel: number, datagram: Uint8Array, padded: boolean): Buffer {
  const padding = padded ? -datagram.length & 3 : 0
  const frame = Buffer.allocUnsafe(headLength + datagram.length + padding)
  frame.writeUInt16BE(channel, 0)
  frame.writeUInt16BE(datagram.length, 2)
  frame.set(datagram, headLength)
  frame.fill(0, headLength + datagram.length)
  return frame
}

/** The channel and the datagram in a frame; undefined when it is no ChannelData, or cut short. */
export function readChannelData(frame: Uint8Array): { channel: number; datagram: Uint8Array } | undefined {
  if (frame.length < headLength) return undefined
  const channel = (frame[0]! << 8) | frame[1]!
  const length = (frame[2]! << 8) | frame[3]!
  if (channel < firstChannel || channel > lastChannel || headLength + length > frame.length) return undefined
  return { channel, datagram: frame.subarray(headLength, headLength + length) }
}

/** Cuts a stream into messages. `push` returns false when what comes is neither STUN nor ChannelData. */
export function messageCutter(onMessage: (message: Uint8Array) => void): (chunk: Uint8Array) => boolean {
  let pending: Uint8Array = new Uint8Array(0)
  return chunk => {
    let rest = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (;;) {
      const length = lengthOf(rest)
      if (length === undefined || (length > 0 && length > maxLength)) return false
      if (length === 0 || rest.length < length) break
      onMessage(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
    pending = Uint8Array.from(rest)
    return true
  }
}

// --- internal ---

/** With its padding; 0 while the head has not come, undefined for what is neither. */
function lengthOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < headLength) return 0
  const declared = (bytes[2]! << 8) | bytes[3]!
  if (bytes[0]! < 4) return stunHeaderLength + declared
  if (bytes[0]! < firstChannel >> 8 || bytes[0]! > lastChannel >> 8) return undefined
  return headLength + declared + (-declared & 3)
}
