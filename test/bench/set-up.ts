import { type Cloud, startCloud } from './cloud.ts'
import { loopback, type Place } from './place.ts'
import { type Step, startProxy } from './proxy.ts'

/** A session's set-up with the function's process already loaded. Milliseconds. */
export interface SetUp {
  steps: Step[]
  /** From the offer's write to the first byte through the tunnel, which is the function's hello. */
  fromOffer: number
}

/** Sets sessions up one after another with one function process, which its first session has loaded, and gives the median. */
export async function measureSetUp(times: number): Promise<SetUp> {
  const place = await loopback()
  const cloud = await startCloud(place)
  try {
    await setUp(place, cloud)
    const all: SetUp[] = []
    for (let i = 0; i < times; i++) all.push(await setUp(place, cloud))
    all.sort((a, b) => a.fromOffer - b.fromOffer)
    return all[Math.floor(all.length / 2)]!
  } finally {
    await cloud.process.stop()
    await place.close()
  }
}

// --- internal ---

async function setUp(place: Place, cloud: Cloud): Promise<SetUp> {
  const { client, steps } = await startProxy(place, cloud)
  await client.stop()
  const afterStun = steps.slice(steps.findIndex(({ step }) => step === 'offer'))
  return { steps, fromOffer: afterStun.reduce((sum, { ms }) => sum + ms, 0) }
}
