import { randomBytes } from 'node:crypto'
import type { IceCredentials } from './check-list.ts'

/** Fresh ICE credentials: 48 and 144 random bits, in ICE characters (RFC 8445, section 5.3). */
export const newIceCredentials = (): IceCredentials => ({
  ufrag: randomBytes(6).toString('base64'),
  password: randomBytes(18).toString('base64'),
})
