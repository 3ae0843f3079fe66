import { randomBytes } from 'node:crypto'

/** One side's ICE user fragment and password, as its offer or answer gives them (RFC 8445, section 5.3). */
export interface IceCredentials {
  ufrag: string
  password: string
}

/** Fresh ICE credentials: 48 and 144 random bits, in ICE characters (RFC 8445, section 5.3). */
export const newIceCredentials = (): IceCredentials => ({
  ufrag: randomBytes(6).toString('base64'),
  password: randomBytes(18).toString('base64'),
})
