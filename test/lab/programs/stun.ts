import { startStun } from '../../../cli/cloud/stun.ts'

// The project's own STUN server, on each address that is named: `bun stun.ts <address>...`.

for (const address of process.argv.slice(2)) await startStun(address, 3478)
console.log('listening')
