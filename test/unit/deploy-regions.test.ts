import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AwsError, whoAmI } from '../../cli/deploy/aws.ts'

// AWS's STS as far as this asks it: each region knows the credentials, or does not.

const test = suite('regions of an account')

const known = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
  <Arn>arn:aws:iam::123456789012:user/alice</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>`
const unknown = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
  <Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid</Message>
</Error></ErrorResponse>`

/** Who is asked for in a region where only some know the credentials. */
async function identify(region: string, enabled: readonly string[]) {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch({ headers }) {
      const [, scope = ''] = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.get('authorization') ?? '') ?? []
      return enabled.includes(scope)
        ? new Response(known, { headers: { 'content-type': 'text/xml' } })
        : new Response(unknown, { status: 403, headers: { 'content-type': 'text/xml' } })
    },
  })
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_STS: server.url.origin,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  })
  try {
    return await whoAmI(region)
  } catch (error) {
    if (error instanceof AwsError) return error
    throw error
  } finally {
    await server.stop(true)
  }
}

test('one that is enabled tells whose account it is', async () => {
  assert.equal(await identify('ap-east-1', ['ap-east-1']), {
    account: '123456789012',
    arn: 'arn:aws:iam::123456789012:user/alice',
  })
})

test('one that is not enabled is told as that, and how to enable it', async () => {
  const error = (await identify('ap-east-1', ['us-east-1'])) as AwsError
  assert.is(error.code, 'E_AWS_REGION_DISABLED')
  assert.match(error.message, 'the region ap-east-1 is not enabled for the account')
  assert.match(error.hint!, 'aws account enable-region --region-name ap-east-1')
})

for (const region of ['ap-east-1', 'us-east-1'])
  test(`credentials that are wrong everywhere are wrong in ${region}`, async () => {
    const error = (await identify(region, [])) as AwsError
    assert.is(error.code, 'E_AWS_CREDENTIALS_INVALID')
  })

test.run()
