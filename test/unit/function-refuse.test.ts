import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { locateExit } from '../../function/locate.ts'
import { asRefusal } from '../../function/refuse.ts'
import { readSettings } from '../../function/settings.ts'
import { CandidateError } from '../../tunnel/nat/ice/candidates.ts'
import { StunError } from '../../tunnel/nat/stun/discover.ts'
import { openUdpSocket } from '../../tunnel/net/udp/open.ts'
import { DocumentError, newSessionId, parseAnswer, signalVersion } from '../../tunnel/signalling/documents.ts'
import { RefusalError } from '../../tunnel/signalling/refusal.ts'

// What the client is told of an exit that does not come up.

const test = suite('refusals of the function')

const long = 'x'.repeat(5_000)

/** What a client reads of it. */
function told({ code, message }: RefusalError): { code: string; refused: string } {
  const document = { version: signalVersion, session_id: newSessionId(), code, refused: message }
  const read = parseAnswer(JSON.stringify(document))
  assert.ok('refused' in read)
  return read as { code: string; refused: string }
}

test('each kind of error has its code, and no message is too long for the client to read', () => {
  for (const [error, code] of [
    [new DocumentError('E_DOCUMENT_INVALID', long), 'E_OFFER_INVALID'],
    [new StunError([{ server: long, outcome: 'silent' }]), 'E_EXIT_STUN_UNREACHABLE'],
    [new CandidateError('E_PEER_CANDIDATES', long), 'E_OFFER_CANDIDATES'],
    [Object.assign(new Error(long), { code: 'EMFILE' }), 'E_EXIT_FULL'],
    [new TypeError(long), 'E_EXIT_FAILED'],
    [long, 'E_EXIT_FAILED'],
  ] as const)
    assert.is(told(asRefusal(error)).code, code)
  assert.is(told(asRefusal(new Error('short'))).refused, 'short')
  const own = new RefusalError('E_OFFER_EXPIRED', 'too old')
  assert.is(asRefusal(own), own)
})

test('the message of an exit that does not know its own address is not too long either, whatever its servers are called', async () => {
  const socket = await openUdpSocket({ address: '127.0.0.1' })
  const label = `${'x'.repeat(50)}.`
  const servers = Array.from({ length: 4 }, (_, i) => `${label.repeat(4)}s${i}.invalid:3478`)
  try {
    const settings = readSettings({ STUN_SERVERS: servers.join(','), ADDRESS_SERVICE: 'none' })
    const error = await locateExit(socket, settings).catch((error: unknown) => error)
    assert.instance(error, RefusalError)
    assert.is((error as RefusalError).message.length, 500, 'it was longer')
    assert.is(told(error as RefusalError).code, 'E_EXIT_STUN_UNREACHABLE')
  } finally {
    socket.close()
  }
})

test.run()
