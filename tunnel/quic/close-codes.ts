/**
 * Application close codes of a QUIC connection (RFC 9000, section 20.2): what ends it is told by these alone. The
 * reason beside a code is for people; nothing compares it.
 */
export const closeCodes = {
  /** Nothing more to do. */
  done: 0,
  /** The certificate is not the one that the offer or answer announced. */
  wrongPin: 1,
  /** The client needs the exit no more. */
  bye: 2,
  /** The function's time is up. */
  deadline: 3,
  /** A draining exit has nothing left to carry. */
  drained: 4,
  /** The control stream is malformed, has ended, or is not read. */
  controlBroken: 5,
  /** The exit said no hello, or one of another version. */
  noHello: 6,
  /** What the other end sends costs more than it carries. */
  overload: 7,
} as const

export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes]

/** What a code says, for people. */
export const closeText: Record<CloseCode, string> = {
  0: 'done',
  1: 'wrong certificate',
  2: 'bye',
  3: 'the time of the function is up',
  4: 'drained',
  5: 'the control stream is broken',
  6: 'no hello',
  7: 'the other end sends what costs far more than it carries',
}
