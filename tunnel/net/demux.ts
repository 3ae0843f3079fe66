/**
 * Tells what a datagram on the session's socket is by its first byte (RFC 9443, section 3): 0 to 3 is
 * STUN; 64 and up is QUIC (its fixed bit is always set between our two ends). The rest is noise.
 */
export function classify(datagram: Uint8Array): 'stun' | 'quic' | 'noise' {
  const first = datagram[0]
  if (first === undefined) return 'noise'
  if (first < 4) return 'stun'
  return first >= 64 ? 'quic' : 'noise'
}
