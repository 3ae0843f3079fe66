import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { finish } from '../lab/running.ts'
import { type AddressService, startAddressService } from '../support/address-service.ts'

interface Said {
  address?: string
  code?: string
  message?: string
}

interface Context {
  folder: string
  service: AddressService
  /** Asks for these paths, in a process of Node's that trusts the service's certificate unless told otherwise. */
  ask: (paths: string[], trust?: boolean) => Promise<Said[]>
}

const test = suite<Context>('address service')
const node = join(import.meta.dir, '../../node_modules/node/bin/node')

test.before(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.service = await startAddressService({
    '/': response => response.end('203.0.113.7\n'),
    '/crlf': response => response.end(' 1.2.3.4\r\n'),
    '/moved': response => response.writeHead(302, { location: '/' }).end(),
    '/long': response => response.end('1'.repeat(100_000)),
    '/six': response => response.end('2606:4700::1'),
    '/html': response => response.end('<html>1.2.3.4</html>'),
    '/none': response => response.end(),
    '/multicast': response => response.end('224.0.0.1'),
    '/broken': response => response.destroy(),
    '/half': response => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('1.2.3.4', () => response.destroy())
    },
    '/silent': () => {},
  })
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, '../support/ask-address.ts')],
    outdir: context.folder,
    target: 'node',
  })
  const program = built.outputs[0]!.path
  context.ask = async (paths, trust = true) => {
    const urls = paths.map(each => `${context.service.url}${each}`)
    const env = { NODE_EXTRA_CA_CERTS: trust ? context.service.authorities : undefined }
    const said = await finish([node, program, ...urls], '', { env })
    return said
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Said)
  }
})
test.after(async ({ folder, service }) => {
  await service.close()
  await rm(folder, { recursive: true })
})

test('the address is what it says, without what surrounds it', async ({ ask }) => {
  assert.equal(await ask(['/', '/crlf']), [{ address: '203.0.113.7' }, { address: '1.2.3.4' }])
})

test('what is no address of IPv4 that a host has is none, and no redirect is followed', async ({
  ask,
  service,
}) => {
  const paths = ['/moved', '/long', '/six', '/html', '/none', '/multicast', '/broken', '/half', '/lost']
  service.asked.length = 0
  for (const { code, message } of await ask(paths)) {
    assert.is(code, 'E_ADDRESS_SERVICE')
    assert.match(message!, 'localhost')
  }
  assert.equal(service.asked, paths)
})

test('a certificate that nobody knows, and silence, have an end', async ({ ask }) => {
  const [stranger] = await ask(['/'], false)
  assert.match(stranger!.message!, 'cannot be reached')
  const [silent] = await ask(['/silent'])
  assert.match(silent!.message!, 'did not answer within 4 s')
})

test.run()
