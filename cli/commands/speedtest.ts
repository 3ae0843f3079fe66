import { defineCommand } from 'citty'
import { consola } from 'consola'
import { type OwnSession, startOwnSession } from '../client/fleet/own-session.ts'
import { type Comparison, compare, type Fetched } from '../client/speedtest/compare.ts'
import {
  type Latency,
  measureDownload,
  measureLatency,
  measureUpload,
  type Transfer,
} from '../client/speedtest/measure.ts'
import { computeOf, onWire } from '../client/stats/cost.ts'
import { formatBytes, formatDuration, formatRate } from '../client/stats/format.ts'
import { openSignalling } from '../deploy/signalling.ts'
import { readSignalling, signallingOptions } from '../deploy/signalling-options.ts'
import { together } from '../input/together.ts'
import { UsageError } from '../input/usage-error.ts'
import { readWhole } from '../input/whole-number.ts'
import { exitCodeMeanings } from '../output/exit-codes.ts'
import { describe } from '../output/help.ts'
import { columns, formatOf, formatOptions, print } from '../output/print.ts'
import { progressBar } from '../output/progress-bar.ts'
import { waitingLine } from '../output/waiting-line.ts'
import { interruptible } from './interrupt.ts'
import { addToLedger, checkBudget } from './own-spending.ts'

interface Report {
  exit: { region: string; address: string; memoryMb: number; setUpMs: number }
  latency: Latency
  download: Transfer
  upload: Transfer
  comparison?: Comparison
}

/** Enough for a 95th percentile. */
const roundTrips = 100

export default defineCommand({
  meta: describe({
    name: 'speedtest',
    description:
      'Measure latency, download and upload to an exit that is launched for it; no server is needed behind it. The function is billed for that time.',
    exits: { done: 'measured', interrupted: exitCodeMeanings.interrupted },
    examples: [
      ['speedtest --local', 'Measure this machine alone'],
      ['speedtest --regions eu-central-1 --seconds 10', 'Ten seconds in each direction'],
    ],
  }),
  args: {
    ...signallingOptions,
    seconds: {
      type: 'string',
      default: '5',
      valueHint: 'n',
      description: 'Seconds to measure each direction, 1 to 60',
    },
    url: {
      type: 'string',
      valueHint: 'url',
      description: 'Also fetch this, directly and through the tunnel',
    },
    ...formatOptions,
  },
  async run({ args }) {
    const format = formatOf(args)
    const [seconds, url, signalling] = await together(
      () => secondsOf(args.seconds),
      () => (args.url === undefined ? undefined : httpUrl(args.url)),
      () => readSignalling(args),
    )
    if (!args.local) checkBudget(signalling.config)
    const report = await interruptible(async signal => {
      await using started = new AsyncDisposableStack()
      const source = await openSignalling(signalling, signal)
      started.defer(source.close)
      let own: OwnSession | undefined
      const carried = { down: 0 }
      started.defer(() => own?.end())
      own = await startOwnSession(source, signal, {
        onWaiting: format === 'human' ? tellWaiting : undefined,
        onOffered(region) {
          const since = performance.now()
          if (!args.local)
            started.defer(() => bill(region, (performance.now() - since) / 1000, own?.session.hello, carried))
        },
      })
      return await measure(own, { seconds, url, signal, carried })
    })
    print(report, format, human)
  },
})

// --- internal ---

/** For people only: consola.info writes to standard output, where nothing but a JSON or YAML report may be. */
const tellWaiting = (region: string, limitMs: number) => consola.info(waitingLine(region, limitMs))

/** Writes down what the exit has cost. One that never came up has not said how large it is. */
function bill(
  region: string,
  seconds: number,
  hello: OwnSession['session']['hello'] | undefined,
  carried: { down: number },
): void {
  const size = hello && {
    memoryMb: hello.memory_mb,
    ...(hello.architecture && { architecture: hello.architecture }),
  }
  // AWS does not bill what comes in to the function: an upload ends there.
  addToLedger(region, { ...computeOf(seconds, { ...size }), launches: 1, bytesOut: onWire(carried.down) })
}

function secondsOf(text: string): number {
  const seconds = readWhole(text, 1, 60)
  if (seconds !== undefined) return seconds
  throw new UsageError(`--seconds ${text} is not a number from 1 to 60`)
}

function httpUrl(text: string): string {
  const url = URL.parse(text)
  if (url && ['http:', 'https:'].includes(url.protocol)) return url.href
  throw new UsageError(`--url ${text} is not a URL: give one that begins with http:// or https://`)
}

interface MeasureOptions {
  seconds: number
  url: string | undefined
  signal: AbortSignal
  /** The bytes that the exit has sent so far, kept up to date so that a measurement cut short is billed too. */
  carried: { down: number }
}

async function measure(
  { session, region, setUpMs }: OwnSession,
  { seconds, url, signal, carried }: MeasureOptions,
): Promise<Report> {
  const { connection, hello } = session
  const bar = progressBar()
  const options = (label: string) => ({
    seconds,
    signal,
    onProgress(bytes: number, ms: number) {
      if (label === 'download') carried.down = bytes
      bar.draw(label, ms / seconds / 1000, (bytes * 1000) / ms)
    },
  })
  try {
    bar.draw('latency', 0)
    const latency = await measureLatency(connection, { times: roundTrips, seconds, signal })
    const download = await measureDownload(connection, options('download'))
    carried.down = download.bytes
    const upload = await measureUpload(connection, options('upload'))
    const exit = { region, address: hello.address, memoryMb: hello.memory_mb, setUpMs }
    if (url === undefined) return { exit, latency, download, upload }
    bar.draw('url', 1)
    const onTunnelBytes = (bytes: number) => {
      carried.down = download.bytes + bytes
    }
    const comparison = await compare(session, url, { seconds, signal, onTunnelBytes })
    return { exit, latency, download, upload, comparison }
  } finally {
    bar.clear()
  }
}

function human({ exit, latency, download, upload, comparison }: Report): string {
  const rate = ({ bitsPerSecond, bytes, ms }: Transfer) => [
    formatRate(bitsPerSecond / 8),
    `${formatBytes(bytes)} in ${formatDuration(ms)}`,
  ]
  const rows = [
    ['exit', exit.address, `${exit.region}, ${exit.memoryMb} MB, up after ${formatDuration(exit.setUpMs)}`],
    [
      'latency',
      formatDuration(latency.medianMs),
      `median of ${latency.samples}; 95 % within ${formatDuration(latency.p95Ms)}`,
    ],
    ['download', ...rate(download)],
    ['upload', ...rate(upload)],
  ]
  if (!comparison) return columns(rows)
  const fetched = (name: string, it: Fetched | { error: string }) =>
    'error' in it
      ? [name, '-', it.error]
      : [
          name,
          rate(it)[0]!,
          `status ${it.status}, first byte after ${formatDuration(it.firstByteMs)}, ${rate(it)[1]}${it.complete ? '' : ', cut off'}`,
        ]
  return [
    columns(rows),
    `\n${comparison.url}`,
    columns([fetched('direct', comparison.direct), fetched('tunnel', comparison.tunnel)]),
  ].join('\n')
}
