import { httpsQuery } from '../../function/dns-over-https.ts'

// A program: asks a DNS-over-HTTPS server for names, one after another, and prints what came of each as JSON. A process
// of its own, because what it trusts beside the system's certificates is settled by its environment.

const [url = '', address = '', ...hosts] = process.argv.slice(2)
const query = httpsQuery(url, async () => {
  if (address === 'forbidden') throw new Error('that server is forbidden')
  return [{ address, family: 4 }]
})
for (const host of hosts)
  console.log(
    JSON.stringify(await query(host).catch((error: Error) => ({ error: error.message, addresses: [] }))),
  )
process.exit(0)
