import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import { promisify } from 'node:util'
import { localAddressTowards } from '../../net/local-address.ts'
import { type Gateway, PortMappingError } from './router.ts'

/** A system's command that takes longer than this is not waited for. Milliseconds. */
const commandLimitMs = 1_000
/** Nothing is sent to it. */
const anyPort = 9

/**
 * The default gateway, as the system's routing table names it, and this machine's address towards it. Rejects
 * with a PortMappingError where there is none.
 */
export async function findGateway(): Promise<Gateway> {
  const address = await readGateway().catch(() => undefined)
  const localAddress = address && (await localAddressTowards({ address, port: anyPort }))
  if (!address || !localAddress)
    throw new PortMappingError('E_PORT_MAPPING_NO_GATEWAY', 'this machine has no router that it could ask')
  return { address, localAddress }
}

/** The gateway of /proc/net/route: of the default routes by a gateway (flag 2) the one with the lowest metric. */
export function gatewayOfProc(table: string): string | undefined {
  const routes = table
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(
      ([, destination, , flags, , , , mask]) =>
        destination === '00000000' && mask === '00000000' && (Number.parseInt(flags ?? '', 16) & 2) !== 0,
    )
    .toSorted((a, b) => Number(a[6]) - Number(b[6]))
  const [, , gateway] = routes[0] ?? []
  if (!gateway || !/^[0-9A-F]{8}$/i.test(gateway)) return undefined
  // In the machine's own order of bytes, which is little-endian wherever this runs.
  return [...Buffer.from(gateway, 'hex')].reverse().join('.')
}

/** The gateway of `route -n get default` on macOS. */
export const gatewayOfRouteGet = (text: string): string | undefined =>
  ipv4(/^\s*gateway:\s*(\S+)/m.exec(text)?.[1])

/** The gateway of `route print -4 0.0.0.0` on Windows, of the route with the lowest metric. */
export function gatewayOfRoutePrint(text: string): string | undefined {
  const routes = [...text.matchAll(/^\s*0\.0\.0\.0\s+0\.0\.0\.0\s+(\S+)\s+\S+\s+(\d+)/gm)]
  const [best] = routes.toSorted((a, b) => Number(a[2]) - Number(b[2]))
  return ipv4(best?.[1])
}

// --- internal ---

async function readGateway(): Promise<string | undefined> {
  const run = async (program: string, args: string[]) =>
    (await promisify(execFile)(program, args, { timeout: commandLimitMs, windowsHide: true })).stdout
  if (process.platform === 'linux') return gatewayOfProc(await readFile('/proc/net/route', 'utf8'))
  if (process.platform === 'darwin') return gatewayOfRouteGet(await run('route', ['-n', 'get', 'default']))
  if (process.platform === 'win32') return gatewayOfRoutePrint(await run('route', ['print', '-4', '0.0.0.0']))
  return undefined
}

const ipv4 = (text: string | undefined) => (text && isIPv4(text) ? text : undefined)
