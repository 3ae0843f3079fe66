import { fetchBytes, type Origin } from '../support/origin.ts'

/** What became of the connections of one minute. */
export interface Minute {
  requests: number
  downloads: number
  /** New connections that did not come about, or a request that broke off. */
  failed: number
  /** Downloads that broke off. */
  cut: number
  wrongBytes: number
  bytes: number
  connectMs: number[]
}

export interface Load {
  /** The present minute's counts; begins the next. */
  turn(): Minute
  /** Why connections failed, each reason once. */
  readonly reasons: Set<string>
  /** Starts nothing new, and waits for what is open. */
  stop(): Promise<void>
}

const requestsPerSecond = 50
const downloads = 10
const downloadRate = 100_000
/** Long enough to outlast the retirement of their exits. Seconds. */
const [shortest, longest] = [25, 55]

/** Short requests at a steady rate, and long downloads at all times, through the proxy at this port. */
export function startLoad(proxy: number, origin: Origin, secondsLeft: () => number): Load {
  const reasons = new Set<string>()
  const open = new Set<Promise<void>>()
  let minute = newMinute()
  let stopped = false

  const track = (work: Promise<void>) => {
    open.add(work)
    void work.finally(() => open.delete(work))
    return work
  }
  const one = async (kind: 'requests' | 'downloads', bytes: number, rate?: number): Promise<void> => {
    minute[kind]++
    let reported = 0
    try {
      const fetched = await fetchBytes({
        origin,
        proxy,
        bytes,
        ...(rate && { rate }),
        onProgress: received => {
          minute.bytes += received - reported
          reported = received
        },
      })
      minute.connectMs.push(fetched.connectMs)
      minute.wrongBytes += fetched.wrong
      if (fetched.complete) return
      minute[kind === 'requests' ? 'failed' : 'cut']++
      reasons.add(`${kind} broke off after ${fetched.received} of ${bytes} bytes`)
    } catch (error) {
      minute.failed++
      reasons.add(error instanceof Error ? error.message : String(error))
    }
  }
  const request = () => track(one('requests', 200 + Math.floor(Math.random() * 20_000)))
  const download = async () => {
    while (!stopped) {
      const lasting = Math.min(shortest + Math.random() * (longest - shortest), Math.max(1, secondsLeft()))
      await one('downloads', Math.round(lasting * downloadRate), downloadRate)
    }
  }

  const ticker = setInterval(request, 1_000 / requestsPerSecond)
  for (let i = 0; i < downloads; i++) track(download())
  return {
    reasons,
    turn() {
      const past = minute
      minute = newMinute()
      return past
    },
    async stop() {
      stopped = true
      clearInterval(ticker)
      while (open.size > 0) await Promise.all(open)
    },
  }
}

// --- internal ---

const newMinute = (): Minute => ({
  requests: 0,
  downloads: 0,
  failed: 0,
  cut: 0,
  wrongBytes: 0,
  bytes: 0,
  connectMs: [],
})
