import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

/** An npm registry with one package, `tiny-package` 1.2.3; undefined for what it does not know. */
export function npmRegistry(): (request: Request) => Response | undefined {
  const tarball = gzipSync(
    tar({
      'package/package.json': '{ "name": "tiny-package", "version": "1.2.3", "main": "index.js" }',
      'package/index.js': "module.exports = 'what the tiny package says'\n",
    }),
  )
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
  return request => {
    const { pathname, origin } = new URL(request.url)
    if (pathname === '/tiny-package.tgz') return new Response(tarball)
    if (pathname !== '/tiny-package') return undefined
    const dist = { tarball: `${origin}/tiny-package.tgz`, integrity }
    const version = { name: 'tiny-package', version: '1.2.3', main: 'index.js', dist }
    return Response.json({
      name: 'tiny-package',
      'dist-tags': { latest: '1.2.3' },
      versions: { '1.2.3': version },
    })
  }
}

// --- internal ---

/** An archive of these files in the form of POSIX's ustar. */
function tar(files: Record<string, string>): Buffer {
  const block = 512
  const parts = Object.entries(files).flatMap(([path, text]) => {
    const data = Buffer.from(text)
    const header = Buffer.alloc(block)
    header.write(path, 0)
    header.write(`0000644\0${'0000000\0'.repeat(2)}`, 100)
    header.write(`${data.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124)
    header.write(`${' '.repeat(8)}0`, 148)
    header.write('ustar\u000000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, data, Buffer.alloc((block - (data.length % block)) % block)]
  })
  return Buffer.concat([...parts, Buffer.alloc(2 * block)])
}
