import { existsSync } from 'node:fs'
import { claim, release, sweep } from '../lab/estate.ts'
import { finish } from '../lab/running.ts'
import { need } from '../support/need.ts'
import type { LinkCounters } from './path.ts'
import { type Place, settle } from './place.ts'
import { root, start, withKey } from './processes.ts'
import type { LinkSpec } from './programs/link.ts'

/** What a link does to packets. */
export type Link = Omit<LinkSpec, 'devices'>

export const linkName = ({ delayMs, lossPercent, mbits }: Link): string =>
  `${mbits === undefined ? '' : `${mbits} Mbit/s, `}${delayMs} ms, ${lossPercent} %`

/** Packets that a device holds while the link is busy, where the system's own 500 would lose bursts. */
const deviceQueue = 10_000
const address = { near: '192.0.2.1', far: '192.0.2.2' } // RFC 5737 keeps them for examples

/** Rejects with what is lacking: root, a kernel with TUN devices, `ip`. */
export async function linksAvailable(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('delay and loss need root, to make network namespaces')
  if (!existsSync('/dev/net/tun')) throw new Error('this kernel, or container, has no TUN devices')
  if (!need(['iproute2'], ['ip'])) throw new Error('ip is not to be had (Debian: iproute2)')
}

/** Two network namespaces with a link between, which delays and loses packets of any kind. */
export async function openLink(link: Link): Promise<Place> {
  sweep()
  const { id, names } = claim(['near', 'far'])
  const devices: LinkSpec['devices'] = [`near-${process.pid}`, `far-${process.pid}`]
  const relay = start([process.execPath, `${root}/test/bench/programs/link.ts`], {
    spec: { ...link, devices } satisfies LinkSpec,
  })
  const close = async () => {
    release(id)
    await relay.stop()
  }
  try {
    await relay.hear('it had its devices', withKey('ready'))
    await layOut(names, devices, link)
    const counters = () => {
      relay.tell({ tell: 'counters' })
      return relay.hear('its packets were counted', withKey<LinkCounters>('down'))
    }
    const inside = (side: 'near' | 'far') => ['ip', 'netns', 'exec', names[side]]
    return await settle({
      name: linkName(link),
      address,
      inside: { near: inside('near'), far: inside('far') },
      link: { delayMs: link.delayMs, counters },
      close,
    })
  } catch (error) {
    await close()
    throw error
  }
}

// --- internal ---

/** Puts a device into each namespace, with an address and the other side at its end. */
async function layOut(
  names: Record<'near' | 'far', string>,
  [near, far]: LinkSpec['devices'],
  { mbits }: Link,
): Promise<void> {
  const batch = (into: string[], commands: string[]) =>
    finish(['ip', ...into, '-batch', '-'], commands.join('\n'))
  await batch(
    [],
    [
      ...[names.near, names.far].map(name => `netns add ${name}`),
      `link set ${near} netns ${names.near}`,
      `link set ${far} netns ${names.far}`,
    ],
  )
  const ends = [
    { name: names.near, device: near, own: address.near, other: address.far },
    { name: names.far, device: far, own: address.far, other: address.near },
  ]
  for (const { name, device, own, other } of ends)
    await batch(
      ['-n', name],
      [
        'link set lo up',
        `address add ${own} peer ${other} dev ${device}`,
        `link set ${device} txqueuelen ${deviceQueue} up`,
        // What shares a bottleneck is what most of the internet's traffic is, TCP with CUBIC (RFC 9438): by the route,
        // since a namespace may not choose it for all.
        ...(mbits === undefined ? [] : [`route replace ${other} dev ${device} src ${own} congctl cubic`]),
      ],
    )
}
