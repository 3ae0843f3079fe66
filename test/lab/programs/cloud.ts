import { type CloudOptions, startCloud } from '../../../cli/local/cloud.ts'
import { buildFunction } from '../../../function/build.ts'

// The embedded cloud, with options that its command line does not have: `bun cloud.ts <CloudOptions as JSON>`.
// Prints what a client needs, then the function's log, a JSON object a line.

const options: Omit<CloudOptions, 'functionZip'> = JSON.parse(process.argv[2] ?? '{}')
const say = (event: string, fields: object) => console.log(JSON.stringify({ event, ...fields }))

const { zip } = await buildFunction()
const cloud = await startCloud({ ...options, functionZip: zip, onLog: record => say('log', record) })
say('ready', {
  endpoint: cloud.endpoint,
  buckets: Object.fromEntries(cloud.buckets),
  credentials: cloud.credentials,
})
process.on('SIGTERM', async () => {
  await cloud.close()
  process.exit(0)
})
