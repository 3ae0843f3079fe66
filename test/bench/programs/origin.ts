import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { say, spec } from './spec.ts'

// The web server that every load goes to: GET /n answers with n bytes; of what is put it tells, while it
// arrives, how much has. It writes a megabyte at a time, so that it costs next to nothing beside what is measured.

const chunk = Buffer.alloc(1024 * 1024, 'x')
const progressMs = 50

function put(request: IncomingMessage, response: ServerResponse): void {
  let received = 0
  const tell = () => response.write(`${received}\n`)
  const timer = setInterval(tell, progressMs)
  request.once('data', tell)
  request.on('data', (data: Buffer) => {
    received += data.length
  })
  request.on('close', () => clearInterval(timer))
  request.on('end', () => response.end(`${received}\n`))
}

function get(request: IncomingMessage, response: ServerResponse): void {
  let left = Number(request.url?.slice(1))
  response.writeHead(200, { 'content-length': left })
  const more = () => {
    while (left > 0) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk
      left -= part.length
      if (!response.write(part)) return response.once('drain', more)
    }
    response.end()
  }
  more()
}

const server = createServer((request, response) => (request.method === 'PUT' ? put : get)(request, response))
// A thousand connections may come in one moment, and the system would let those beyond its queue wait a second.
server.listen({ host: spec<{ address: string }>().address, port: 0, backlog: 4096 }, () => {
  const address = server.address()
  if (typeof address === 'object' && address) say({ port: address.port })
})
