import { PutObjectCommand } from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LaunchError, launch } from '../../cli/client/fleet/launch.ts'
import { parseStunServers } from '../../tunnel/nat/stun/server-name.ts'
import { openBucket, type SignalBucket } from '../../tunnel/signalling/bucket.ts'
import { newSessionId, type Offer } from '../../tunnel/signalling/documents.ts'
import { SignalError } from '../../tunnel/signalling/errors.ts'
import { answerKey, offerKey } from '../../tunnel/signalling/keys.ts'
import type { RefusalCode } from '../../tunnel/signalling/refusal.ts'
import { anOffer } from '../support/documents.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'

interface Context {
  local: LocalCloud
  bucket: SignalBucket
}

const test = suite<Context>('Tampering with offer and answer')
const strange = 'ab'.repeat(32)
const candidate = (address: string) => ({ type: 'srflx' as const, address, port: 4500 })

test.before(async context => {
  context.local = await startLocalCloud()
  const { endpoint, credentials } = context.local.cloud
  const { bucket, region } = context.local
  context.bucket = openBucket({ bucket, region, endpoint, credentials })
})
test.after(async ({ local, bucket }) => {
  bucket.close()
  await local.close()
})

/** Launches a session through a bucket in which somebody else writes; it must fail. */
async function failure({ local, bucket }: Context, change: Partial<SignalBucket>): Promise<LaunchError> {
  const id = newSessionId()
  try {
    await launch({
      id,
      bucket: { ...bucket, ...change },
      stunServers: parseStunServers(local.cloud.stunServers.join()),
    })
  } catch (error) {
    assert.instance(error, LaunchError)
    // Neither end keeps anything.
    assert.not((await local.keys()).includes(offerKey(id)))
    assert.not((await local.keys()).includes(answerKey(id)))
    return error as LaunchError
  }
  throw new Error('the session came up')
}

test('another certificate in the answer: the client does not take the function for the one it asked', async context => {
  const { step, message } = await failure(context, {
    waitForAnswer: async (...args) => ({
      ...(await context.bucket.waitForAnswer(...args)),
      certificate_sha256: strange,
    }),
  })
  assert.is(step, 'quic')
  assert.match(message, 'it is not who wrote the offer or answer')
})

test('another certificate in the offer: the function does not serve the client', async context => {
  let id = ''
  const { step } = await failure(context, {
    putOffer: offer => {
      id = offer.session_id
      return context.bucket.putOffer({ ...offer, certificate_sha256: strange })
    },
  })
  assert.ok(['quic', 'hello'].includes(step), step)
  const { error } = await context.local.logged('session failed', record => record.session === id)
  assert.match(String(error), 'it is not who wrote the offer or answer')
})

test('another password in the answer: no path, and the error says what was heard', async context => {
  const { step, message } = await failure(context, {
    waitForAnswer: async (...args) => ({
      ...(await context.bucket.waitForAnswer(...args)),
      ice_password: 'x'.repeat(24),
    }),
  })
  assert.is(step, 'punch')
  assert.match(message, /sent \d+ checks/)
})

test('an answer that names what is no peer: the client sends nothing, and says so', async context => {
  for (const address of ['255.255.255.255', '224.0.0.251', '169.254.169.254']) {
    const error = await failure(context, {
      waitForAnswer: async (...args) => ({
        ...(await context.bucket.waitForAnswer(...args)),
        candidates: [candidate(address)],
      }),
    })
    assert.equal([error.step, error.code], ['punch', 'E_PEER_CANDIDATES'], address)
  }
})

test('offers that are malformed, of another version, stale or from the future are refused in words', async ({
  local,
  bucket,
}) => {
  const client = local.client
  const offers: [Partial<Record<keyof Offer, unknown>>, RefusalCode, RegExp][] = [
    [{ client_port: '80' }, 'E_OFFER_INVALID', /offer's client_port/],
    [{ candidates: { length: 3 } }, 'E_OFFER_INVALID', /offer's candidates/],
    [{ ice_password: 'x'.repeat(5_000) }, 'E_OFFER_INVALID', /offer's ice_password/],
    [{ version: 2 }, 'E_OFFER_INVALID', /version 2.*speaks 1/],
    [{ session_id: newSessionId() }, 'E_OFFER_INVALID', /session_id/],
    [{ client_ip: 'x'.repeat(9_000) }, 'E_OFFER_INVALID', /larger than 8192 bytes/],
    [{ candidates: [candidate('255.255.255.255')] }, 'E_OFFER_CANDIDATES', /none of the candidates/],
    [
      { candidates: ['224.0.0.251', '169.254.169.254'].map(candidate) },
      'E_OFFER_CANDIDATES',
      /none of the candidates/,
    ],
    [{ dns: 'not a server' }, 'E_OFFER_INVALID', /offer's dns/],
    [{ timestamp: Date.now() - 120_000 }, 'E_OFFER_CLOCK', /1[12]\d s/],
    [{ timestamp: Date.now() + 120_000 }, 'E_OFFER_CLOCK', /1[12]\d s/],
  ]
  for (const [fields, code, reason] of offers) {
    const session_id = newSessionId()
    const Body = JSON.stringify({ ...anOffer({ session_id }), ...fields })
    await client.send(new PutObjectCommand({ Bucket: local.bucket, Key: offerKey(session_id), Body }))
    try {
      await bucket.waitForAnswer(session_id, 20_000)
      assert.unreachable('it was answered')
    } catch (error) {
      assert.instance(error, SignalError)
      assert.is((error as SignalError).code, code, (error as Error).message)
      assert.match((error as Error).message, reason)
    }
  }
  // No process died of it.
  assert.equal(
    local.log.filter(({ errorType }) => errorType === 'Runtime.ExitError'),
    [],
  )
})

test.run()
