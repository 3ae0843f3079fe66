import type { Side } from './lab.ts'

// The provider's end of each side's line, in the internet namespace: faults happen here, beyond the NAT, so
// that what is lost has opened its mapping; and what a side sends to its peer is counted here.

/** What of a line is cut. */
export type Blocked = 'udp' | 'peer' | 'all' | 'all-but-https'

export interface Fault {
  /** Share of packets lost each way, 0 to 100. */
  loss: number
  /** What does not pass at all. */
  blocked?: Blocked
}

/** The ruleset of both lines; `services` is the subnet that does not count as a peer. */
export const wireRules = (services: string): string => `flush ruleset
  table ip wire {
    ${sides.map(side => `counter ${side}_checks { }\n chain ${side} { }`).join('\n')}
    chain arriving {
      type filter hook prerouting priority raw;
      ${sides.map(side => `iifname ${side} ip daddr != ${services} ${isStun} counter name ${side}_checks`).join('\n')}
      ${sides.map(side => `iifname ${side} jump ${side}`).join('\n')}
    }
    chain leaving {
      type filter hook postrouting priority srcnat + 1;
      ${sides.map(side => `oifname ${side} jump ${side}`).join('\n')}
    }
  }
`

/** Commands that put one side's line in this state. */
export function faultRules(side: Side, fault: Fault): string {
  const rules = [
    ...(fault.loss > 0 ? [`numgen random mod 10000 < ${Math.round(fault.loss * 100)} drop`] : []),
    ...(fault.blocked ? cuts[fault.blocked] : []),
  ]
  const added = rules.map(rule => `add rule ip wire ${side} ${rule}\n`)
  return `flush chain ip wire ${side}\n${added.join('')}`
}

/** Packets in the counter of `nft -j list counter`. */
export function countOf(json: string): number {
  const { nftables } = JSON.parse(json) as { nftables: { counter?: { packets: number } }[] }
  return nftables.find(entry => entry.counter)?.counter?.packets ?? 0
}

// --- internal ---

/** What the world sees of either side. */
const bothSides = '{ 11.0.113.0/24, 11.0.2.0/24 }'

/** For packets either way. */
const cuts: Record<Blocked, string[]> = {
  udp: ['meta l4proto udp drop'],
  all: ['drop'],
  peer: [`meta l4proto udp ip saddr ${bothSides} ip daddr ${bothSides} drop`],
  'all-but-https': ['tcp dport 443 return', 'tcp sport 443 return', 'drop'],
}

const sides: readonly Side[] = ['client', 'function']

/** A UDP payload whose first byte is 0 to 3 (RFC 9443, section 3). */
const isStun = 'meta l4proto udp @th,64,8 < 4'
