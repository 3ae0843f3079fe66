import { CopyObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { anOffer } from '../support/documents.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import { fetchBytes, startOrigin } from '../support/origin.ts'
import { until } from '../support/until.ts'

// Offers that are late, old, somebody else's, or from a clock that is wrong: what the function says of them.

const test = suite<{ local: LocalCloud }>('Offers that are refused')

test.before.each(async context => {
  context.local = await startLocalCloud()
})
test.after.each(({ local }) => local.close())

const minuteMs = 60_000

const put = ({ client, bucket }: LocalCloud, id: string, offer: object) =>
  client.send(
    new PutObjectCommand({ Bucket: bucket, Key: `sessions/${id}/offer.json`, Body: JSON.stringify(offer) }),
  )

/** The answer, or refusal, in the bucket: the function logs a refusal before it writes it. */
async function answer({ client, bucket, keys }: LocalCloud, id: string): Promise<Record<string, unknown>> {
  const written = async () => (await keys()).includes(`sessions/${id}/answer.json`)
  await until(written, `the answer to ${id}`)
  const { Body } = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: `sessions/${id}/answer.json` }),
  )
  return JSON.parse(await Body!.transformToString())
}

const refusal = async (local: LocalCloud, id: string, reason: RegExp) => {
  const record = await local.logged(
    'offer refused',
    ({ session, reason: said }) => session === id && reason.test(String(said)),
  )
  return String(record.reason)
}

test('an event that comes two minutes late is refused as such', async ({ local }) => {
  const offered = Date.now() - 2 * minuteMs
  const offer = anOffer({ timestamp: offered })
  // Its being written now is an event too: there the offer is older than its own event.
  await put(local, offer.session_id, offer)
  await refusal(local, offer.session_id, /clock is 12\d s behind, or the offer is an old one/)
  await local.cloud.deliver(local.eventOf(offer.session_id, new Date(offered + 50)))
  const reason = await refusal(local, offer.session_id, /is 12\d s old/)
  console.log(`figure: event two minutes late, refused: ${reason}`)
  assert.is(local.log.filter(({ message }) => message === 'answered').length, 0)
})

for (const [side, offset, words] of [
  ['behind', -5 * minuteMs, /clock is 30\d s behind/],
  ['ahead', 5 * minuteMs, /clock is (29\d|300) s ahead/],
] as const)
  test(`an offer from a clock five minutes ${side} is refused, and the client is told why`, async ({
    local,
  }) => {
    const offer = anOffer({ timestamp: Date.now() + offset })
    await put(local, offer.session_id, offer)
    await refusal(local, offer.session_id, words)
    assert.match(String((await answer(local, offer.session_id)).refused), words)
  })

test('an offer that is replayed gets nothing, under its own key or another, and its session goes on', async ({
  local,
}) => {
  const origin = await startOrigin()
  const proxy = await local.proxy()
  const { session } = proxy.told('exit.ready')[0]!
  const before = await answer(local, session)
  const key = `sessions/${session}/offer.json`
  const { Body } = await local.client.send(new GetObjectCommand({ Bucket: local.bucket, Key: key }))
  const offer = JSON.parse(await Body!.transformToString())

  await put(local, session, offer)
  await local.logged('offer is answered already: this delivery is a duplicate')
  assert.equal(await answer(local, session), before)

  const thief = 'abcdefabcdefabcdef00'
  await local.client.send(
    new CopyObjectCommand({
      Bucket: local.bucket,
      Key: `sessions/${thief}/offer.json`,
      CopySource: `${local.bucket}/${key}`,
    }),
  )
  await put(local, thief, offer)
  await refusal(local, thief, /session_id is not abcdefabcdefabcdef00/)
  const { code, refused } = await answer(local, thief)
  assert.is(code, 'E_OFFER_INVALID')
  assert.match(String(refused), /session_id is not abcdefabcdefabcdef00/)

  assert.is(local.log.filter(({ message }) => message === 'answered').length, 1)
  assert.ok((await fetchBytes({ origin, proxy: proxy.port, bytes: 1_000 })).complete)
  origin.close()
})

test.run()
