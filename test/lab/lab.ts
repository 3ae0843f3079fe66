import { claim, release, sweep } from './estate.ts'
import { type NatKind, natRules } from './nat.ts'
import { finish, type Running, type RunOptions, start } from './running.ts'
import { countOf, type Fault, faultRules, wireRules } from './wire.ts'

// Two devices, a NAT before each, and an internet between them, on one machine:
//
//     client ── lan │ clientNat │ wan ── internet ── wan │ functionNat │ lan ── function
//
// The internet is a router with a line to each NAT; the servers run in its namespace, each on an address of its own.

export type Side = 'client' | 'function'
export type Where = Side | 'clientNat' | 'functionNat' | 'internet'

/** Addresses of the servers and of somebody who has no part in it (RFC 5737 keeps these for examples). */
const services = {
  stun1: '198.51.100.1',
  stun2: '198.51.100.2',
  web: '198.51.100.80',
  s3: '198.51.100.90',
  stranger: '198.51.100.66',
} as const
const serviceSubnet = '198.51.100.0/24'

export interface Lab {
  address: typeof services & {
    /** What the world sees of each side: its NAT's address, or its own where there is none. */
    client: string
    function: string
    /** What each side's own interface has. */
    clientInside: string
    functionInside: string
  }
  /** Puts a command into a namespace: `[...lab.inside('function'), 'node', 'x.js']`. */
  inside(where: Where): string[]
  /** Starts a program there; it ends with the lab at the latest, and its temporary files do. */
  run(where: Where, command: string, args?: readonly string[], options?: RunOptions): Running
  /** Runs a program there to its end; its stdout. */
  finish(where: Where, command: string, args?: readonly string[], options?: RunOptions): Promise<string>
  /** Loses this percentage of the packets on a side's line, each way; 0 ends it. */
  loss(side: Side, percent: number): Promise<void>
  /** Cuts a side's line, for UDP or for all. */
  block(side: Side, what?: 'udp' | 'all'): Promise<void>
  unblock(side: Side): Promise<void>
  /** The side's NAT forgets its UDP mappings; the next ones have other ports. */
  rebind(side: Side): Promise<void>
  /** STUN messages that a side has sent to anybody but the servers. */
  checksSent(side: Side): Promise<number>
  /** A folder that goes with the lab. */
  folder: string
  /** Kills all that runs in the lab and takes it down. */
  close(): Promise<void>
}

/** Builds a lab, in about a tenth of a second, as root. It is taken down at the end of the process at the latest. */
export async function openLab(kinds: Record<Side, NatKind>): Promise<Lab> {
  sweep()
  const { id, names, folder } = claim(['client', 'clientNat', 'internet', 'functionNat', 'function'])
  const lines = { client: line('client', kinds.client), function: line('function', kinds.function) }
  const shift = { client: 0, function: 0 }
  const faults: Record<Side, Fault> = { client: { loss: 0 }, function: { loss: 0 } }
  const running: Running[] = []

  const inside = (where: Where) => ['ip', 'netns', 'exec', names[where]]
  const ip = (where: Where, commands: string[]) =>
    finish(['ip', '-n', names[where], '-batch', '-'], commands.join('\n'))
  const nft = (where: Where, rules: string) => finish([...inside(where), 'nft', '-f', '-'], rules)
  const bindNat = (side: Side) => nft(natOf(side), natRules(kinds[side], lines[side].host, shift[side]))
  const setFault = (side: Side, change: Partial<Fault>) => {
    faults[side] = { ...faults[side], ...change }
    return nft('internet', faultRules(side, faults[side]))
  }
  const inFolder = (options: RunOptions) => ({ ...options, env: { TMPDIR: folder, ...options.env } })

  async function build(): Promise<void> {
    const both = [lines.client, lines.function]
    await finish(
      ['ip', '-batch', '-'],
      [
        ...Object.values(names).map(name => `netns add ${name}`),
        ...both.flatMap(({ side }) => [
          `link add wan netns ${names[natOf(side)]} type veth peer name ${side} netns ${names.internet}`,
          `link add lan netns ${names[natOf(side)]} type veth peer name eth0 netns ${names[side]}`,
        ]),
      ].join('\n'),
    )
    await ip('internet', [
      'link set lo up',
      ...Object.values(services).map(address => `address add ${address}/32 dev lo`),
      ...both.flatMap(({ side, provider, wan, host, isRouted }) => [
        `address add ${provider}/30 dev ${side}`,
        `link set ${side} up`,
        ...(isRouted ? [`route add ${host} via ${wan}`] : []),
      ]),
      'route add blackhole default', // an address of somebody's home leads nowhere
    ])
    for (const { side, provider, wan, gateway, host } of both) {
      await ip(natOf(side), [
        'link set lo up',
        `address add ${wan}/30 dev wan`,
        'link set wan up',
        `address add ${gateway}/30 dev lan`,
        'link set lan up',
        `route add default via ${provider}`,
      ])
      await ip(side, [
        'link set lo up',
        `address add ${host}/30 dev eth0`,
        'link set eth0 up',
        `route add default via ${gateway}`,
      ])
      await bindNat(side)
    }
    await nft('internet', wireRules(serviceSubnet))
    for (const router of ['clientNat', 'internet', 'functionNat'] as const)
      await finish([...inside(router), 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
  }

  const close = async () => {
    release(id)
    await Promise.all(running.map(({ exit }) => exit))
  }

  try {
    await build()
  } catch (error) {
    await close()
    throw error
  }

  return {
    address: {
      ...services,
      client: lines.client.seenAs,
      function: lines.function.seenAs,
      clientInside: lines.client.host,
      functionInside: lines.function.host,
    },
    folder,
    inside,
    run(where, command, args = [], options = {}) {
      const program = start([...inside(where), command, ...args], inFolder(options))
      running.push(program)
      return program
    },
    finish: (where, command, args = [], options = {}) =>
      finish([...inside(where), command, ...args], '', inFolder(options)),
    loss: async (side, percent) => void (await setFault(side, { loss: percent })),
    block: async (side, what = 'udp') => void (await setFault(side, { blocked: what })),
    unblock: async side => void (await setFault(side, { blocked: undefined })),
    async rebind(side) {
      if (kinds[side] === 'none') throw new Error(`there is no NAT before the ${side} that could re-bind`)
      shift[side] = (shift[side] + 0x155) & 0x3ff
      await bindNat(side)
      await finish([...inside(natOf(side)), 'conntrack', '-D', '-p', 'udp'])
    },
    checksSent: async side =>
      countOf(
        await finish([...inside('internet'), 'nft', '-j', 'list', 'counter', 'ip', 'wire', `${side}_checks`]),
      ),
    close,
  }
}

/** Tells a story in a lab of its own. */
export async function inLab<T>(kinds: Record<Side, NatKind>, story: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await openLab(kinds)
  try {
    return await story(lab)
  } finally {
    await lab.close()
  }
}

// --- internal ---

const natOf = (side: Side): Where => (side === 'client' ? 'clientNat' : 'functionNat')

/**
 * The addresses along a side's line, from the provider's router to the host; all subnets are /30. Those outside count
 * as public: a router's port-mapping daemon opens no ports at addresses that are kept for examples.
 */
function line(side: Side, kind: NatKind) {
  const isClient = side === 'client'
  const [provider, wan] = isClient ? ['11.0.113.1', '11.0.113.2'] : ['11.0.113.5', '11.0.113.6']
  if (kind === 'none') {
    const [gateway, host] = isClient ? ['11.0.2.1', '11.0.2.2'] : ['11.0.2.5', '11.0.2.6']
    return { side, provider, wan, gateway, host, seenAs: host, isRouted: true }
  }
  const [gateway, host] = isClient ? ['192.168.1.1', '192.168.1.2'] : ['10.0.0.1', '10.0.0.2']
  return { side, provider, wan, gateway, host, seenAs: wan, isRouted: false }
}
