import { DeleteBucketPolicyCommand, GetBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openBucket } from '../../tunnel/signalling/bucket.ts'
import { newSessionId } from '../../tunnel/signalling/documents.ts'
import { anAnswer, anOffer } from '../support/documents.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { findEngine } from './engine.ts'
import { isAllowed } from './iam.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

// What the AWS provider itself makes of the module, on moto's AWS. Left out, loudly, where it cannot be had.

const test = suite('terraform apply')
const regions = ['eu-central-1', 'us-east-1']
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
let workspace: Workspace
let moto: Moto

test.before(async () => {
  const started = await startMoto()
  if (!started) throw new Error('there is an AWS provider but no moto to try it on')
  moto = started
  // moto would run functions in containers; here they have only to be notified.
  await fetch(`${moto.endpoint}/moto-api/config`, { method: 'POST', body: '{"lambda":{"use_docker":false}}' })
  workspace = openWorkspace(
    engine!,
    { name: 'team-proxy', regions, tags: { team: 'platform' } },
    {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: '',
      AWS_ENDPOINT_URL: moto.endpoint,
    },
  )
})
test.after(async () => {
  workspace?.close()
  await moto?.close()
})

interface Outputs {
  buckets: Record<string, string>
  functions: Record<string, { name: string; arn: string; log_group: string }>
  client_policy_json: string
}
const outputs = (): Outputs => JSON.parse(workspace.run(workspace.importer, 'output', '-json', 'proxy'))

const changes = () =>
  workspace
    .plan(workspace.importer)
    .resource_changes.filter(({ change }) => change.actions.join() !== 'no-op')

const open = (region: string, bucket: string) =>
  openBucket({ bucket, region, credentials, endpoint: moto.endpoint })

test('an apply makes a bucket and a function in each region', () => {
  workspace.run(workspace.importer, 'apply', '-input=false', '-auto-approve')
  const { buckets, functions } = outputs()
  assert.equal(Object.keys(buckets), regions)
  for (const region of regions) {
    assert.match(buckets[region]!, new RegExp(`^team-proxy-${region}-[0-9a-f]{8}$`))
    assert.equal(functions[region], {
      name: 'team-proxy',
      arn: `arn:aws:lambda:${region}:123456789012:function:team-proxy`,
      log_group: '/aws/lambda/team-proxy',
    })
  }
})

test("the client's policy allows offers and answers in each bucket, as the provider writes it", () => {
  const { buckets, client_policy_json } = outputs()
  const context = { 'aws:ResourceAccount': '123456789012' }
  const decide = (action: string, region: string, document: string) =>
    isAllowed([client_policy_json], {
      action,
      resource: `arn:aws:s3:::${buckets[region]}/sessions/abc/${document}.json`,
      context,
    })
  for (const region of regions)
    assert.equal(
      [
        decide('s3:PutObject', region, 'offer'),
        decide('s3:GetObject', region, 'answer'),
        decide('s3:GetObject', region, 'offer'),
      ],
      [true, true, false],
    )
})

test('a second plan changes nothing', () => {
  // moto forgets a function's logging_config.
  for (const { type, change } of changes()) {
    assert.is(type, 'aws_lambda_function')
    assert.equal({ ...change.after, logging_config: change.before.logging_config }, change.before)
  }
})

test('another bundle changes the functions and nothing else', () => {
  workspace.bundle('exports.handler = async () => { /* anew */ }')
  const changed = changes()
  assert.is(changed.length, regions.length)
  for (const { type, change } of changed) {
    assert.is(type, 'aws_lambda_function')
    assert.equal(change.actions, ['update'])
    assert.is.not(change.after.source_code_hash, change.before.source_code_hash)
  }
})

test('the buckets refuse plain HTTP', async () => {
  const { buckets } = outputs()
  for (const region of regions) {
    const s3 = new S3Client({ region, credentials, endpoint: moto.endpoint, forcePathStyle: true })
    const Bucket = buckets[region]!
    const { Policy = '' } = await s3.send(new GetBucketPolicyCommand({ Bucket }))
    const [{ Effect, Principal, Condition }, ...more] = JSON.parse(Policy).Statement
    assert.equal([Effect, Principal, Condition], ['Deny', '*', { Bool: { 'aws:SecureTransport': 'false' } }])
    assert.equal(more, [])
    // moto reads no conditions and so refuses everybody: what follows needs the policy gone.
    await s3.send(new DeleteBucketPolicyCommand({ Bucket }))
    s3.destroy()
  }
})

test("a client's session goes through each bucket", async () => {
  const { buckets } = outputs()
  for (const region of regions) {
    const bucket = open(region, buckets[region]!)
    const offer = anOffer()
    const { session_id } = offer
    const answer = anAnswer({ session_id })
    await bucket.putOffer(offer)
    assert.equal(await bucket.getOffer(session_id), offer)
    assert.is(await bucket.putAnswer(answer), true)
    assert.is(await bucket.putAnswer(answer), false, 'a second answer was taken')
    assert.equal(await bucket.waitForAnswer(session_id, 5_000), answer)
    await bucket.remove(session_id)
    await bucket.putOffer({ ...offer, session_id: newSessionId() })
    bucket.close()
  }
})

test('a destroy takes all of it, the objects too', async () => {
  const { buckets } = outputs()
  workspace.run(workspace.importer, 'destroy', '-input=false', '-auto-approve')
  for (const region of regions) {
    const bucket = open(region, buckets[region]!)
    const error = await bucket.getOffer(newSessionId()).catch((reason: Error) => reason)
    assert.match(String(error), `the bucket ${buckets[region]} does not exist`)
    bucket.close()
  }
})

const engine = findEngine()
if (engine) test.run()
