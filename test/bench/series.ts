import { type Link, linkName, linksAvailable, openLink } from './link.ts'
import type { Load } from './load.ts'
import { loopback, type Place } from './place.ts'
import { chain, heldChains } from './subjects/chain.ts'
import { direct } from './subjects/direct.ts'
import { gost } from './subjects/gost.ts'
import { plainSocks } from './subjects/plain-socks.ts'
import { bare, tunnel, tunnels } from './subjects/quic.ts'
import { hysteria, tuic } from './subjects/sing-box.ts'
import { ssh } from './subjects/ssh.ts'
import type { Subject } from './subjects/subject.ts'
import { farWorkloads, heldWorkloads, nearWorkloads, type Size, type Workload, warmUps } from './workloads.ts'

/** Trials that belong together: every workload on every subject in every place. */
export interface Series {
  name: 'near' | 'far' | 'held'
  places: readonly { name: string; open(): Promise<Place> }[]
  subjects: readonly Subject[]
  workloads: readonly Workload[]
  warmUp: readonly Load[]
  repetitions: number
  /** Rejects with what the machine lacks. */
  prepare?(): Promise<void>
}

/** All that a run of this size measures. */
export const allSeries = (size: Size): Series[] => [
  {
    name: 'near',
    places: [here],
    subjects: [bare, tunnel, chain, gost, hysteria, tuic, ssh, plainSocks, direct],
    workloads: nearWorkloads(size),
    warmUp: warmUps.near,
    repetitions: size.repetitions,
  },
  {
    name: 'far',
    places: links(size).map(link => ({ name: linkName(link), open: () => openLink(link) })),
    subjects: [...tunnels, chain, hysteria, tuic, ssh],
    workloads: farWorkloads(size),
    warmUp: warmUps.far,
    repetitions: 1,
    prepare: linksAvailable,
  },
  {
    name: 'held',
    places: [here],
    subjects: heldChains,
    workloads: heldWorkloads(size),
    warmUp: warmUps.far,
    repetitions: 1,
  },
]

// --- internal ---

const here = { name: '', open: loopback }

function links({ name }: Size): Link[] {
  if (name === 'quick') return [{ delayMs: 20, lossPercent: 1 }]
  return [0, 20, 100].flatMap(delayMs => [0, 1, 3].map(lossPercent => ({ delayMs, lossPercent })))
}
