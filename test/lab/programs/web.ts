import { content } from '../content.ts'

// A web server: `bun web.ts <address>`. GET /bytes/<n> gives n bytes of the known content, GET /address
// the address the request came from, POST /echo what it was sent.

const server = Bun.serve({
  hostname: process.argv[2],
  port: 80,
  idleTimeout: 0,
  async fetch(request, server) {
    const { pathname } = new URL(request.url)
    const length = /^\/bytes\/(\d+)$/.exec(pathname)?.[1]
    if (length !== undefined) return new Response(content(Number(length)))
    if (pathname === '/address') return new Response(server.requestIP(request)?.address)
    if (pathname === '/echo') return new Response(await request.arrayBuffer())
    return new Response('not found', { status: 404 })
  },
})
console.log(`listening on ${server.url}`)
