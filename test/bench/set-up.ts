import { node, withKey } from './processes.ts'
import { command, type Step, startProxy } from './proxy.ts'

/** A session's set-up with the function's process already loaded. Milliseconds. */
export interface SetUp {
  steps: Step[]
  /** From the offer's write to the first byte through the tunnel, which is the function's hello. */
  fromOffer: number
}

interface Cloud {
  endpoint: string
  stunServers: string[]
  buckets: Record<string, string>
  credentials: { accessKeyId: string; secretAccessKey: string }
}

/** Sets sessions up one after another with one function process, which its first session has loaded, and gives the median. */
export async function measureSetUp(times: number): Promise<SetUp> {
  const cloud = command(['cloud', '--s3-port', '0', '--stun-port', '0', '--node', node, '--json'])
  try {
    const ready = await cloud.hear('the cloud was ready', withKey<Cloud>('endpoint'))
    await setUp(ready)
    const all: SetUp[] = []
    for (let i = 0; i < times; i++) all.push(await setUp(ready))
    all.sort((a, b) => a.fromOffer - b.fromOffer)
    return all[Math.floor(all.length / 2)]!
  } finally {
    await cloud.stop()
  }
}

// --- internal ---

async function setUp({ endpoint, stunServers, buckets, credentials }: Cloud): Promise<SetUp> {
  const [[region, bucket] = ['', '']] = Object.entries(buckets)
  const { client, steps } = await startProxy(
    ['--bucket', bucket, '--region', region, '--stun', stunServers.join(',')],
    {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  )
  await client.stop()
  const afterStun = steps.slice(steps.findIndex(({ step }) => step === 'offer'))
  return { steps, fromOffer: afterStun.reduce((sum, { ms }) => sum + ms, 0) }
}
