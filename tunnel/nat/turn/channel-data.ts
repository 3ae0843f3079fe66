// ChannelData (RFC 8656, section 12.4): four bytes before a datagram, in place of an indication's 36 or more; and how it
// and STUN's messages are cut from a stream (section 12.5, and RFC 8489, section 6.2.2).

/** Channels that a client may bind (RFC 8656, section 12). */
export const firstChannel = 0x4000
const lastChannel = 0x4fff
const headLength = 4
const stunHeaderLength = 20

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

/**
 * Cuts a stream into messages. `push` returns false when what comes is neither STUN nor ChannelData. One that comes in
 * pieces is put into room for all of it, so that each byte is copied once however small they are.
 */
export function messageCutter(onMessage: (message: Uint8Array) => void): (chunk: Uint8Array) => boolean {
  /** Of a message that has not come whole: its head first, which tells how long it is. */
  let room = new Uint8Array(headLength)
  let filled = 0
  /** As much as fits; false while there is still room. */
  const fill = (bytes: Uint8Array): boolean => {
    room.set(bytes, filled)
    filled += bytes.length
    return filled === room.length
  }
  return chunk => {
    for (let rest = chunk; rest.length > 0; ) {
      const whole = filled === 0 && rest.length >= headLength ? lengthOf(rest) : 0
      if (whole === undefined) return false
      if (whole > 0 && whole <= rest.length) {
        onMessage(rest.subarray(0, whole))
        rest = rest.subarray(whole)
        continue
      }
      const piece = rest.subarray(0, room.length - filled)
      rest = rest.subarray(piece.length)
      if (!fill(piece)) continue
      const length = lengthOf(room)
      if (length === undefined) return false
      if (length > filled) {
        const head = room
        room = new Uint8Array(length)
        room.set(head)
        continue
      }
      onMessage(room)
      room = new Uint8Array(headLength)
      filled = 0
    }
    return true
  }
}

// --- internal ---

/** Of the message with this head, with its padding; undefined for what is neither. */
function lengthOf(head: Uint8Array): number | undefined {
  const declared = (head[2]! << 8) | head[3]!
  if (head[0]! < 4) return stunHeaderLength + declared
  if (head[0]! < firstChannel >> 8 || head[0]! > lastChannel >> 8) return undefined
  return headLength + declared + (-declared & 3)
}
