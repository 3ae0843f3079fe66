import { type Link, linkName, linksAvailable, openLink } from './link.ts'
import type { Load } from './load.ts'
import { loopback, type Place } from './place.ts'
import { chain, engineChains, heldChains, optimisticChain } from './subjects/chain.ts'
import { direct } from './subjects/direct.ts'
import { gost } from './subjects/gost.ts'
import { plainSocks } from './subjects/plain-socks.ts'
import { bare, tunnel, tunnels } from './subjects/quic.ts'
import { hysteria, tuic } from './subjects/sing-box.ts'
import { ssh } from './subjects/ssh.ts'
import type { Subject } from './subjects/subject.ts'
import {
  besideWorkloads,
  farWorkloads,
  heldWorkloads,
  narrowWorkloads,
  nearWorkloads,
  type Size,
  type Workload,
  warmUps,
} from './workloads.ts'

/** Trials that belong together: every workload on every subject in every place. */
export interface Series {
  name: 'near' | 'far' | 'held' | 'bottleneck' | 'beside' | 'engines'
  places: readonly { name: string; open(): Promise<Place> }[]
  subjects: readonly Subject[]
  /** Measured only when they are named. */
  onRequest?: readonly Subject[]
  workloads: readonly Workload[]
  /** Whether a subject has a workload; all have all without. */
  suits?(subject: string, workload: string): boolean
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
    onRequest: [optimisticChain, ...engineChains],
    workloads: nearWorkloads(size),
    suits: (subject, workload) => workload !== 'slow900' || ['chain', 'hysteria'].includes(subject),
    warmUp: warmUps.near,
    repetitions: size.repetitions,
  },
  {
    name: 'far',
    places: size.links.map(through),
    subjects: [...tunnels, chain, optimisticChain, hysteria, tuic, ssh],
    onRequest: engineChains,
    suits: (subject, workload) => subject !== optimisticChain.name || workload === 'single',
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
  {
    name: 'bottleneck',
    places: [0, 1].map(lossPercent => through({ ...bottleneck, lossPercent })),
    subjects: [chain, hysteria, tuic],
    onRequest: engineChains,
    workloads: narrowWorkloads(size),
    warmUp: warmUps.far,
    repetitions: 1,
    prepare: linksAvailable,
  },
  {
    name: 'beside',
    places: [through({ ...bottleneck, lossPercent: 0 })],
    subjects: [chain, hysteria, tuic],
    onRequest: engineChains,
    workloads: besideWorkloads(size),
    warmUp: warmUps.far,
    repetitions: 1,
    prepare: linksAvailable,
  },
  {
    name: 'engines',
    places: [here],
    subjects: engineChains,
    workloads: nearWorkloads(size).filter(({ name }) => ['down', 'up', 'connect', 'short'].includes(name)),
    warmUp: warmUps.near,
    repetitions: 1,
  },
]

// --- internal ---

const here = { name: '', open: loopback }

/** Of a home's access to the internet. */
const bottleneck = { delayMs: 20, mbits: 50, queueMs: 40 }

const through = (link: Link) => ({ name: linkName(link), open: () => openLink(link) })
