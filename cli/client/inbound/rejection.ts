import type { ErrorData } from '../../../tunnel/net/coded-error.ts'
import { type Scheme, schemeNames } from '../../input/scheme.ts'
import type { Full, Places } from './places.ts'
import type { Source } from './source.ts'

/** Why a client is rejected before it has asked for a target. */
export type RejectionCode =
  /** There are as many clients as there may be: in all, from other machines, or from that one. */
  | 'E_CLIENTS_FULL'
  /** So many connections have not been admitted that the oldest of them had to give way. */
  | 'E_CLIENTS_WAITING'
  /** The port does not speak the client's protocol. */
  | 'E_CLIENT_PROTOCOL'
  /** What it says cannot be read. */
  | 'E_CLIENT_MALFORMED'
  | 'E_LOGIN_REQUIRED'
  | 'E_LOGIN_WRONG'
  /** So many wrong passwords came from there that nothing more is looked at for now. */
  | 'E_LOGIN_THROTTLED'
  /** There are as many UDP associations as there may be, and none of them is idle. */
  | 'E_ASSOCIATIONS_FULL'
  | 'E_SOCKS_COMMAND'
  | 'E_SOCKS_ADDRESS_TYPE'

export interface Rejection extends ErrorData {
  code: RejectionCode
}

/** The rejection with what to do about it, where nobody has said that. */
export const withHint = (rejection: Rejection): Rejection => {
  const hint = rejection.hint ?? hints[rejection.code]
  return hint === undefined ? rejection : { ...rejection, hint }
}

export const notServed = (scheme: Scheme): Rejection => ({
  code: 'E_CLIENT_PROTOCOL',
  message: `this port speaks ${schemeNames[scheme]} only`,
})

export const noPlace = (full: Full, places: Places, source: Source): Rejection => ({
  code: 'E_CLIENTS_FULL',
  message: `${taken(full, places, source)} clients already`,
  hint: 'Close connections that are not needed, or start another proxy on another port.',
})

export const noAssociation = (full: Full, places: Places, source: Source): Rejection => ({
  code: 'E_ASSOCIATIONS_FULL',
  message: `${taken(full, places, source)} UDP associations already, and none of them is idle`,
  hint: 'Close an application that uses UDP through the proxy.',
})

export const mustGiveWay = ({ name }: Source): Rejection => ({
  code: 'E_CLIENTS_WAITING',
  message: `${name} holds many connections on which nothing has been asked for, and the oldest was closed`,
  hint: 'Find the program there that opens them, or keep that machine out by a firewall.',
})

export const throttled = ({ name }: Source): Rejection => ({
  code: 'E_LOGIN_THROTTLED',
  message: `too many wrong passwords came from ${name}`,
  hint: 'Correct the password in the program that sends it, and try again in ten seconds.',
})

// --- internal ---

const hints: Partial<Record<RejectionCode, string>> = {
  E_CLIENT_PROTOCOL: 'Set the program to what the port speaks, or give it a port of its own.',
  E_LOGIN_REQUIRED: 'Give the program a user name and password of the proxy.',
  E_LOGIN_WRONG: 'Compare what the program sends with the logins that the proxy was given.',
  E_SOCKS_COMMAND: 'Let the program open its connections itself: with FTP, in passive mode.',
}

const taken = (full: Full, { max }: Places, { name }: Source) =>
  `${{ all: 'there are', elsewhere: 'other machines have', source: `${name} has` }[full]} ${max[full]}`
