import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { finish, start } from '../lab/running.ts'
import { clientRows } from '../support/client-rows.ts'
import { type ClientWorld, clientWorld, name } from '../support/client-world.ts'
import { type DnsServer, dnsServer } from '../support/dns-server.ts'
import { need, needPip } from '../support/need.ts'

interface Context extends ClientWorld {
  /** A DNS server that the clients ask. */
  asked: DnsServer
}

const test = suite<Context>('Other people’s clients, over UDP')
const { works, complete } = clientRows(test)
const packages = ['PySocks', 'dnspython', 'aioquic']

test.before(async context => {
  Object.assign(context, await clientWorld(() => new Response()))
  context.asked = await dnsServer(() => ({ addresses: ['192.0.2.7'] }))
})
test.after(async ({ asked, close }) => {
  asked.close()
  await close()
})

const socksify = (port: number) => `
route {
  from: 0.0.0.0/0 to: 0.0.0.0/0 via: 127.0.0.1 port = ${port}
  protocol: tcp udp
  proxyprotocol: socks_v5
  method: none
}
`

works('drill (DNS), by Dante’s `socksify`', 'UDP ASSOCIATE', async ({ proxy, asked, folder }) => {
  const query = async (port: number) => {
    const file = join(folder, `socks-${port}.conf`)
    await writeFile(file, socksify(port))
    // Otherwise it takes what is on this machine for a network that needs no proxy.
    const env = { SOCKS_CONF: file, SOCKS_AUTOADD_LANROUTES: 'no' }
    return finish(['timeout', '20', 'socksify', 'drill', 'drill.example', `@${asked.address}`], '', { env })
  }
  assert.match(await query(proxy.port), /drill\.example\.\s+60\s+IN\s+A\s+192\.0\.2\.7/)
  assert.equal(asked.queries, ['drill.example A'])
  // The same without a proxy: so it was the proxy that carried it.
  const closedPort = 1
  try {
    await query(closedPort)
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, 'error')
  }
  assert.is(asked.queries.length, 1)
})

const lookUp = `
import dns.message, socket, socks, sys
proxy, server = sys.argv[1:]
udp = socks.socksocket(type=socket.SOCK_DGRAM)
udp.set_proxy(socks.SOCKS5, '127.0.0.1', int(proxy))
udp.settimeout(20)
udp.sendto(dns.message.make_query('python.example', 'A').to_wire(), (server, 53))
answer, sender = udp.recvfrom(4096)
print(sender[0], dns.message.from_wire(answer).answer[0][0])
`

works('PySocks (DNS, by dnspython)', 'UDP ASSOCIATE', async ({ proxy, asked }) => {
  const python = needPip(packages)!
  const said = await finish([python, '-c', lookUp, String(proxy.port), asked.address])
  assert.is(said, `${asked.address} 192.0.2.7\n`)
})

works('aioquic (HTTP/3), over a PySocks socket', 'UDP ASSOCIATE, names at the exit', async context => {
  const { proxy, authorities, folder, certificate } = context
  const python = needPip(packages)!
  const program = join(import.meta.dir, '../support/http3.py')
  const key = join(folder, 'key.pem')
  await writeFile(key, certificate.key)
  const server = start([python, program, 'server', authorities, key])
  try {
    const [port] = await server.line(/^\d+$/)
    const args = ['client', String(proxy.port), name, port!, authorities]
    assert.is(await finish([python, program, ...args]), 'same')
  } finally {
    await server.stop('SIGKILL')
  }
  assert.ok(context.dns.queries.includes(`${name} A`))
})

complete()

if (need(['dante-client', 'ldnsutils'], ['socksify', 'drill']) && needPip(packages)) test.run()
