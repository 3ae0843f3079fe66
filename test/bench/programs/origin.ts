import { createServer } from 'node:http'
import { say } from './spec.ts'

// The web server that every load goes to: GET /n answers with n bytes, whatever is put is counted. It writes
// a megabyte at a time, so that it costs next to nothing beside what is measured.

const chunk = Buffer.alloc(1024 * 1024, 'x')

const server = createServer((request, response) => {
  if (request.method === 'PUT') {
    request.on('data', () => {})
    request.on('end', () => response.end())
    return
  }
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
})
// A thousand connections may come in one moment, and the system would let those beyond its queue wait a second.
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const address = server.address()
  if (typeof address === 'object' && address) say({ port: address.port })
})
