import { join } from 'node:path'
import { claim, release, sweep } from './estate.ts'
import { type NatKind, natRules } from './nat.ts'
import { finish, type Running, type RunOptions, start } from './running.ts'
import { type Blocked, countOf, type Fault, faultRules, wireRules } from './wire.ts'

// Two devices, a NAT before each, and an internet between them, on one machine:
//
//     client ── lan │ clientNat │ wan ── internet ── wan │ functionNat │ lan ── function
//
// The internet is a router with a line to each NAT; the servers run in its namespace, each on an address of its own.
// A carrier's NAT may stand between the client's and the internet.

export type Side = 'client' | 'function'
export type Where = Side | 'clientNat' | 'functionNat' | 'internet' | 'carrier'

/** What stands before each side. */
export interface Kinds extends Record<Side, NatKind> {
  /** The NAT of the client's provider, beyond the client's own; none unless it is named. */
  carrier?: NatKind
}

/** Shares of the packets between the two sides, 0 to 100. */
export interface Disturbance {
  /** Those that are overtaken by later ones. */
  reordered: number
  /** Those that arrive twice. */
  duplicated: number
}

/** Addresses of the servers and of somebody who has no part in it (RFC 5737 keeps these for examples). */
const services = {
  stun1: '198.51.100.1',
  stun2: '198.51.100.2',
  web: '198.51.100.80',
  s3: '198.51.100.90',
  // Peers send to it as to each other, and so it has to count as public.
  turn: '11.0.51.1',
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
  /** Cuts a side's line: for UDP, for UDP from and to the other side, for all, or for all but TCP to port 443. */
  block(side: Side, what?: Blocked): Promise<void>
  unblock(side: Side): Promise<void>
  /** The side's NAT forgets its UDP mappings; the next ones have other ports. */
  rebind(side: Side): Promise<void>
  /** The side's NAT has another outside address, and knows nothing of the mappings of the old one. */
  renumber(side: Side): Promise<void>
  /** The side's NAT forgets a UDP mapping after this many seconds without a packet. */
  forgetAfter(side: Side, seconds: number): Promise<void>
  /** Puts an upstream between the sides that reorders and duplicates packets, each way. */
  disturb(disturbance: Disturbance): Promise<void>
  /** STUN messages that a side has sent to anybody but the servers. */
  checksSent(side: Side): Promise<number>
  /** A folder that goes with the lab. */
  folder: string
  /** Kills all that runs in the lab and takes it down. */
  close(): Promise<void>
}

/** Builds a lab, in about a tenth of a second, as root. It is taken down at the end of the process at the latest. */
export async function openLab(kinds: Kinds): Promise<Lab> {
  sweep()
  const wheres = ['client', 'clientNat', 'internet', 'functionNat', 'function'] as const
  const { id, names, folder } = claim<Where>(kinds.carrier ? [...wheres, 'carrier'] : wheres)
  const lines = { client: line('client', kinds.client), function: line('function', kinds.function) }
  const shift = { client: 0, function: 0 }
  const faults: Record<Side, Fault> = { client: { loss: 0 }, function: { loss: 0 } }
  const running: Running[] = []

  const outermost = (side: Side): Where => (side === 'client' && kinds.carrier ? 'carrier' : natOf(side))
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
          `link add wan netns ${names[outermost(side)]} type veth peer name ${side} netns ${names.internet}`,
          `link add lan netns ${names[natOf(side)]} type veth peer name eth0 netns ${names[side]}`,
        ]),
        ...(kinds.carrier
          ? [`link add wan netns ${names.clientNat} type veth peer name lan netns ${names.carrier}`]
          : []),
      ].join('\n'),
    )
    await ip('internet', [
      'link set lo up',
      ...Object.values(services).map(address => `address add ${address}/32 dev lo`),
      ...both.flatMap(({ side, provider, wan, host, isRouted }) => [
        `address add ${provider}/29 dev ${side}`,
        `link set ${side} up`,
        ...(isRouted ? [`route add ${host} via ${wan}`] : []),
      ]),
      'route add blackhole default', // an address of somebody's home leads nowhere
    ])
    for (const { side, provider, wan, gateway, host } of both) {
      const outside = outermost(side) === natOf(side) ? { wan, provider } : between
      await ip(natOf(side), [
        'link set lo up',
        `address add ${outside.wan}/29 dev wan`,
        'link set wan up',
        `address add ${gateway}/30 dev lan`,
        'link set lan up',
        `route add default via ${outside.provider}`,
      ])
      await ip(side, [
        'link set lo up',
        `address add ${host}/30 dev eth0`,
        'link set eth0 up',
        `route add default via ${gateway}`,
      ])
      await bindNat(side)
    }
    if (kinds.carrier) {
      await ip('carrier', [
        'link set lo up',
        `address add ${lines.client.wan}/29 dev wan`,
        'link set wan up',
        `address add ${between.provider}/29 dev lan`,
        'link set lan up',
        `route add default via ${lines.client.provider}`,
      ])
      await nft('carrier', natRules(kinds.carrier, between.wan, 0))
    }
    await nft('internet', wireRules(serviceSubnet))
    const routers: Where[] = ['clientNat', 'internet', 'functionNat']
    for (const router of kinds.carrier ? [...routers, 'carrier' as const] : routers)
      await finish([...inside(router), 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
    // The kernel may take up to a second to say of a link that it is up, and programs look at that.
    for (const side of ['client', 'function'] as const)
      for (const where of [side, natOf(side)]) await finish([...inside(where), 'sh', '-c', allUp])
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

  const address = {
    ...services,
    client: lines.client.seenAs,
    function: lines.function.seenAs,
    clientInside: lines.client.host,
    functionInside: lines.function.host,
  }
  const run: Lab['run'] = (where, command, args = [], options = {}) => {
    const program = start([...inside(where), command, ...args], inFolder(options))
    running.push(program)
    return program
  }
  const shell = (where: Where, script: string) => finish([...inside(where), 'sh', '-c', script])

  return {
    address,
    folder,
    inside,
    run,
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
    async renumber(side) {
      const { provider, wan, other } = lines[side]
      await ip(outermost(side), [
        `address del ${wan}/29 dev wan`,
        `address add ${other}/29 dev wan`,
        `route replace default via ${provider}`,
      ])
      await finish([...inside(outermost(side)), 'conntrack', '-F'])
      address[side] = other
    },
    async forgetAfter(side, seconds) {
      for (const name of ['nf_conntrack_udp_timeout', 'nf_conntrack_udp_timeout_stream'])
        await shell(natOf(side), `echo ${seconds} > /proc/sys/net/netfilter/${name}`)
    },
    async disturb({ reordered, duplicated }) {
      const program = run('internet', 'python3', [
        ...[join(import.meta.dir, 'programs/upstream.py'), `${reordered}`, `${duplicated}`],
      ])
      await program.line(/^ready$/)
      await shell('internet', 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done')
      await ip('internet', [
        'link set upstream up',
        'route add default dev upstream table 100',
        'rule add pref 100 iif upstream lookup main',
        `rule add pref 110 iif client to ${address.function} lookup 100`,
        `rule add pref 110 iif function to ${address.client} lookup 100`,
      ])
    },
    checksSent: async side =>
      countOf(
        await finish([...inside('internet'), 'nft', '-j', 'list', 'counter', 'ip', 'wire', `${side}_checks`]),
      ),
    close,
  }
}

/** Tells a story in a lab of its own. */
export async function inLab<T>(kinds: Kinds, story: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await openLab(kinds)
  try {
    return await story(lab)
  } finally {
    await lab.close()
  }
}

// --- internal ---

/** From the client's NAT to its provider's: shared address space (RFC 6598). */
const between = { wan: '100.64.0.2', provider: '100.64.0.1' }

/** Waits until every link of a namespace is up; a few seconds at most. */
const allUp =
  'for i in $(seq 200); do grep -q down /sys/class/net/*/operstate || exit 0; sleep 0.02; done; exit 1'

const natOf = (side: Side): 'clientNat' | 'functionNat' => (side === 'client' ? 'clientNat' : 'functionNat')

/**
 * The addresses along a side's line, from the provider's router to the host, and another for the NAT. Those outside count
 * as public: a router's port-mapping daemon opens no ports at addresses that are kept for examples.
 */
function line(side: Side, kind: NatKind) {
  const isClient = side === 'client'
  const [provider, wan, other] = isClient
    ? ['11.0.113.1', '11.0.113.2', '11.0.113.3']
    : ['11.0.113.9', '11.0.113.10', '11.0.113.11']
  if (kind === 'none') {
    const [gateway, host] = isClient ? ['11.0.2.1', '11.0.2.2'] : ['11.0.2.5', '11.0.2.6']
    return { side, provider, wan, other, gateway, host, seenAs: host, isRouted: true }
  }
  const [gateway, host] = isClient ? ['192.168.1.1', '192.168.1.2'] : ['10.0.0.1', '10.0.0.2']
  return { side, provider, wan, other, gateway, host, seenAs: wan, isRouted: false }
}
