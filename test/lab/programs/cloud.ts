import { readFile } from 'node:fs/promises'
import { type CloudOptions, startCloud } from '../../../cli/cloud/cloud.ts'

// The embedded cloud, with options that its command line does not have: `bun cloud.ts <function.zip> <CloudOptions as JSON>`.
// Prints what a client needs, then the function's log, a JSON object a line.

const [zip = '', given = '{}'] = process.argv.slice(2)
const options: Omit<CloudOptions, 'functionZip'> = JSON.parse(given)
const say = (event: string, fields: object) => console.log(JSON.stringify({ event, ...fields }))

const cloud = await startCloud({
  ...options,
  functionZip: readFile(zip),
  onLog: record => say('log', record),
})
say('ready', {
  endpoint: cloud.endpoint,
  buckets: Object.fromEntries(cloud.buckets),
  credentials: cloud.credentials,
})
process.on('SIGTERM', async () => {
  await cloud.close()
  process.exit(0)
})
