import { join } from 'node:path'

// A program: serves a folder's files by HTTPS on loopback, with the key.pem and cert.pem that lie there, and prints its
// URL. A process of its own, because the tests wait for Terraform without a turn of their event loop. It ends with its
// standard input.

const [folder = ''] = process.argv.slice(2)
const pem = (name: string) => Bun.file(join(folder, name)).text()
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  tls: { key: await pem('key.pem'), cert: await pem('cert.pem') },
  fetch: async ({ url }) => {
    const file = Bun.file(join(folder, new URL(url).pathname))
    return (await file.exists()) ? new Response(file) : new Response('no such file', { status: 404 })
  },
})
console.log(server.url.origin)
process.stdin.on('end', () => process.exit()).resume()
