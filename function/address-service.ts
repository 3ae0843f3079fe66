import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { CodedError } from '../tunnel/net/coded-error.ts'
import { isUnicast4 } from '../tunnel/net/public-address.ts'

/** The address service gave no address. */
export class AddressServiceError extends CodedError<'E_ADDRESS_SERVICE'> {
  override name = 'AddressServiceError'
}

/** Milliseconds, for name, connection, TLS and answer together. */
const limitMs = 4_000
/** An address and a line end are shorter by far. Bytes. */
const longest = 256

/**
 * Asks a web service for the address that it is asked from: a plain IPv4 address, as checkip.amazonaws.com gives it.
 * Over IPv4 alone, and without following redirects. Throws an AddressServiceError.
 */
export async function askAddress(url: string): Promise<string> {
  const { host } = new URL(url)
  const fail = (reason: string, cause?: unknown) =>
    new AddressServiceError('E_ADDRESS_SERVICE', `the address service ${host} ${reason}`, { cause })
  const signal = AbortSignal.timeout(limitMs)
  try {
    const response = await get(url, signal)
    if (response.statusCode !== 200) throw fail(`answered ${response.statusCode}`)
    const address = (await textOf(response)).trim()
    if (isUnicast4(address)) return address
    throw fail('gave no IPv4 address')
  } catch (error) {
    if (error instanceof AddressServiceError) throw error
    throw fail(signal.aborted ? `did not answer within ${limitMs / 1000} s` : 'cannot be reached', error)
  }
}

// --- internal ---

function get(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { family: 4, agent: false, signal }, resolve).on('error', reject).end()
  })
}

/** As much of a response as an address can have; leaving the loop ends the connection. */
async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) {
    text += (chunk as Buffer).toString('latin1')
    if (text.length > longest) break
  }
  return text
}
