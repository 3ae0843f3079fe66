import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { node, root } from './processes.ts'
import type { SetUp } from './set-up.ts'
import type { StartUp } from './start-up.ts'
import type { Trial } from './trial.ts'
import type { Size } from './workloads.ts'

/** All that a run has found. */
export interface Report {
  date: string
  commit: string
  machine: string
  size: Size['name']
  trials: Trial[]
  setUp?: SetUp
  startUp?: StartUp
  /** What could not be measured, and why. */
  leftOut: string[]
}

/** The trial of a workload on a subject; on loopback unless a place is named. */
export type Find = (subject: string, workload: string, place?: string) => Trial | undefined

export const finder =
  ({ trials }: Report): Find =>
  (subject, workload, place = '') =>
    trials.find(trial => trial.subject === subject && trial.workload === workload && trial.place === place)

/** Of what and where a report is. */
export const newReport = (size: Size): Report => ({
  date: new Date().toISOString().slice(0, 10),
  commit: git('describe', '--always', '--dirty'),
  machine: [
    cpus()[0]?.model.trim(),
    `${cpus().length} cores`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Linux ${release()}`,
    `TCP with ${tcpCongestionControl()}`,
    `Bun ${Bun.version}`,
    `Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`,
  ].join(', '),
  size: size.name,
  trials: [],
  leftOut: [],
})

// --- internal ---

/** What ssh and the web server's connections have. */
const tcpCongestionControl = () =>
  readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim().toUpperCase()

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}
