import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PortMappingError } from '../../tunnel/nat/port-mapping/router.ts'
import { descriptionUrl, onGateway } from '../../tunnel/nat/port-mapping/upnp/discover.ts'
import { askHttp } from '../../tunnel/nat/port-mapping/upnp/http.ts'
import { serviceOf } from '../../tunnel/nat/port-mapping/upnp/upnp.ts'
import { parseXml, textOf } from '../../tunnel/nat/port-mapping/upnp/xml.ts'

// What a router says by UPnP is anybody's text: it must lead nowhere but to the router, and cost little.

const test = suite('UPnP')

const gateway = '192.168.1.1'
const location = new URL(`http://${gateway}:5000/root.xml`)

const answer = (location: string) =>
  `HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLocation: ${location}\r\n\r\n`

test('a description is fetched from the gateway’s own address alone', () => {
  assert.is(descriptionUrl(answer(location.href), gateway)?.href, location.href)
  for (const elsewhere of [
    'http://169.254.169.254/latest/meta-data',
    'http://127.0.0.1/',
    'http://192.168.1.1.example.com/',
    'http://192.168.1.1@169.254.169.254/',
    'http://user@192.168.1.1/',
    'https://192.168.1.1/',
    'file:///etc/passwd',
    '//192.168.1.2/',
    'nonsense',
  ])
    assert.is(descriptionUrl(answer(elsewhere), gateway), undefined, elsewhere)
  assert.is(descriptionUrl(answer(location.href).replace('200', '500'), gateway), undefined)
  assert.is(descriptionUrl('NOTIFY * HTTP/1.1\r\n\r\n', gateway), undefined)
})

test('what it names is called on the gateway alone', () => {
  assert.is(onGateway('/ctl', gateway, location)?.href, 'http://192.168.1.1:5000/ctl')
  assert.is(onGateway('http://192.168.1.1:80/ctl', gateway, location)?.href, 'http://192.168.1.1/ctl')
  for (const elsewhere of ['http://192.168.1.2/ctl', '//10.0.0.1/ctl', 'http://[::1]/ctl'])
    assert.is(onGateway(elsewhere, gateway, location), undefined, elsewhere)
})

const description = (type: string, control: string) =>
  `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceList><device><serviceList>
   <service><serviceType>urn:x:service:Other:1</serviceType><controlURL>/other</controlURL></service>
   <service><serviceType>${type}</serviceType><controlURL>${control}</controlURL></service>
   </serviceList></device></deviceList></device></root>`

test('the service that maps ports is found, wherever it lies', () => {
  const type = 'urn:schemas-upnp-org:service:WANPPPConnection:1'
  const service = serviceOf(description(type, '/ctl'), location, gateway)
  assert.equal([service?.type, service?.control.href], [type, 'http://192.168.1.1:5000/ctl'])
  assert.is(serviceOf(description(type, 'http://10.0.0.1/ctl'), location, gateway), undefined)
  assert.is(serviceOf(description(`${type}"><x`, '/ctl'), location, gateway), undefined)
})

test('no document makes it expand, recurse or fail in another way', () => {
  const hostile = [
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
    '<'.repeat(10_000),
    'not XML',
    '',
    '<a>'.repeat(20_000),
    `${'<a>'.repeat(500)}<serviceType>x</serviceType>${'</a>'.repeat(500)}`,
    '<a><__proto__><serviceType>x</serviceType></__proto__></a>',
  ]
  for (const text of hostile)
    try {
      assert.is(serviceOf(text, location, gateway), undefined)
    } catch (error) {
      if (!(error instanceof PortMappingError)) throw error
      assert.is(error.code, 'E_PORT_MAPPING_MALFORMED')
    }
  const deep = parseXml(`${'<a>'.repeat(30)}<wanted>x</wanted>${'</a>'.repeat(30)}`)
  assert.is(textOf(deep, 'wanted'), undefined)
})

async function served<T>(listener: RequestListener, use: (url: URL) => Promise<T>): Promise<T> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const never = new AbortController().signal

const codeOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'none',
    (error: PortMappingError) => error.code,
  )

test('an answer of more than 128 KiB is not read, a redirection not followed, a proxy not asked', async () => {
  const malformed = 'E_PORT_MAPPING_MALFORMED'
  const much: RequestListener = (_, response) => {
    const more = (): void => {
      if (!response.destroyed && response.write('x'.repeat(10_000))) setImmediate(more)
    }
    response.on('drain', more)
    more()
  }
  assert.is(await served(much, url => codeOf(askHttp(url, {}, never))), malformed)
  let asked = 0
  const moved: RequestListener = (_, response) => {
    asked++
    response.writeHead(302, { location: '/again' }).end()
  }
  process.env.http_proxy = 'http://127.0.0.1:9'
  try {
    const { status } = await served(moved, url => askHttp(url, {}, never))
    assert.equal([status, asked], [302, 1])
  } finally {
    delete process.env.http_proxy
  }
})

test('a server that never ends, or none at all, is given up', async () => {
  const silent: RequestListener = () => {}
  const dripping: RequestListener = (_, response) => void response.write('x')
  for (const listener of [silent, dripping])
    assert.is(await served(listener, url => codeOf(askHttp(url, {}, never))), 'E_PORT_MAPPING_MALFORMED')
  const gone = await served(silent, url => Promise.resolve(url))
  assert.is(await codeOf(askHttp(gone, {}, never)), 'E_PORT_MAPPING_MALFORMED')
})

test.run()
