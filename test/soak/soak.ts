import { startProxy } from '../support/local-proxy.ts'
import { startOrigin } from '../support/origin.ts'
import { type Minute, startLoad } from './load.ts'
import { childrenOf, kindsOfFiles, type Usage, usageOf } from './processes.ts'

/** One minute of it. Memory and files are medians. */
export interface Row extends Omit<Minute, 'connectMs'> {
  minute: number
  /** Time until the proxy has replied, milliseconds. */
  p50: number
  p99: number
  slowest: number
  exits: number
  client: Usage
  functions: Usage
}

export interface Report {
  rows: Row[]
  reasons: string[]
  /** Exits that came up, and launches that failed. */
  exits: number
  failedLaunches: number
  /** Exits by region. */
  regions: Record<string, number>
  /** What ran QUIC at each end, the client's first. */
  engines: string[]
  exitCode: number | string
  /** The client's open files at the end, by kind. */
  files: Record<string, number>
}

const minuteMs = 60_000
const sampleMs = 2_000

/** Lets the proxy run for this many minutes under load, rotating every 20 s over two regions. */
export async function soak(minutes: number, onRow: (row: Row) => void = () => {}): Promise<Report> {
  const origin = await startOrigin()
  const args = ['--local', '--allow-private', '--region', 'local-1,local-2', '--rotate', '20s']
  const proxy = await startProxy({ args })
  try {
    const started = performance.now()
    const end = started + minutes * minuteMs
    const load = startLoad(proxy.port, origin, () => (end - performance.now()) / 1_000)
    const rows: Row[] = []
    for (let minute = 1; minute <= minutes; minute++) {
      const client: Usage[] = []
      const functions: Usage[] = []
      const before = proxy.told('exit.ready').length
      while (performance.now() < started + minute * minuteMs) {
        await Bun.sleep(sampleMs)
        client.push(usageOf([proxy.pid]))
        functions.push(usageOf(childrenOf(proxy.pid)))
      }
      if (minute === minutes) await load.stop()
      const { connectMs, ...counts } = load.turn()
      connectMs.sort((a, b) => a - b)
      const at = (share: number) => connectMs[Math.floor(share * (connectMs.length - 1))] ?? 0
      const row: Row = {
        minute,
        ...counts,
        ...{ p50: at(0.5), p99: at(0.99), slowest: at(1) },
        exits: proxy.told('exit.ready').length - before,
        client: medianOf(client),
        functions: medianOf(functions),
      }
      rows.push(row)
      onRow(row)
    }
    const files = kindsOfFiles(proxy.pid)
    const exits = proxy.told('exit.ready')
    const regions: Record<string, number> = {}
    for (const { region } of exits) regions[region] = (regions[region] ?? 0) + 1
    return {
      rows,
      reasons: [...load.reasons, ...new Set(proxy.told('connection.failed').map(({ message }) => message))],
      exits: exits.length,
      failedLaunches: proxy.told('exit.failed').length,
      regions,
      engines: [...new Set(exits.map(({ engines: { client, exit } }) => `${client} and ${exit}`))],
      exitCode: await proxy.stop('SIGINT'),
      files,
    }
  } finally {
    await proxy.close()
    origin.close()
  }
}

// --- internal ---

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? 0

const medianOf = (usages: Usage[]): Usage => ({
  processes: median(usages.map(({ processes }) => processes)),
  memory: median(usages.map(({ memory }) => memory)),
  files: median(usages.map(({ files }) => files)),
})
