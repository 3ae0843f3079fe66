import { createSocket } from 'node:dgram'
import { createInterface } from 'node:readline'

// One UDP socket that does as its stdin says. `bun udp-peer.ts [address] [port]` prints `bound <port>`, then
// `heard <word> from <address> <port>` for each datagram; `send <word> <address> <port>` prints `sent <word>`.

const [address = '0.0.0.0', port = '0'] = process.argv.slice(2)
const socket = createSocket('udp4')

socket.on('message', (data, from) =>
  console.log(`heard ${data.toString()} from ${from.address} ${from.port}`),
)
socket.bind(Number(port), address, () => console.log(`bound ${socket.address().port}`))

for await (const line of createInterface({ input: process.stdin })) {
  const [, word = '', to, toPort] = line.split(' ')
  // An error, such as a network that is unreachable, is a datagram lost.
  socket.send(word, Number(toPort), to, () => console.log(`sent ${word}`))
}
socket.close()
