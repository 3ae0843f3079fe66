/**
 * What the peer costs, held against what it brings. quiche 0.18 has faults by which a peer's packets take time or
 * memory out of all proportion (CVE-2024-1410, CVE-2024-1765, CVE-2023-6193): such a connection ends before the process
 * stands still or has no memory left. Nothing here is reached by a path that loses packets, a machine that is busy, or
 * a reader that has stopped.
 */
export class CostMonitor {
  /** Streams with something to read that nobody takes. */
  unread = 0
  readonly #streamWindow: number

  // Time, of the current window.
  #windowAt = 0
  #cpuAt: NodeJS.CpuUsage | undefined
  #busyMs = 0
  #packets = 0
  #carried = 0

  /** Bytes that have come and brought nothing. */
  #debt = 0
  #checkAt = step
  /** The process's memory when the debt began. */
  #rssAt: number | undefined

  constructor(streamWindow: number) {
    this.#streamWindow = streamWindow
  }

  /** A packet of so many bytes was parsed within so many milliseconds. True: the peer costs too much. */
  received(bytes: number, ms: number): boolean {
    this.#debt += bytes
    return this.#takes(ms, 1) || (this.#debt > this.#checkAt && this.#growsTooLarge())
  }

  /** So many packets were made within so many milliseconds. True: the peer costs too much. */
  sent(packets: number, ms: number): boolean {
    // Each may be acknowledged.
    this.#pay(packets * overhead)
    this.#carried += packets * overhead
    return this.#takes(ms, packets)
  }

  /** So many of the peer's bytes have gone to a reader. */
  delivered(bytes: number): void {
    this.#pay(bytes * 1.1 + overhead)
    this.#carried += bytes
  }

  // --- internal ---

  #pay(bytes: number): void {
    this.#debt = Math.max(0, this.#debt - bytes)
    if (this.#debt > step / 2) return
    this.#checkAt = step
    this.#rssAt = undefined
  }

  #takes(ms: number, packets: number): boolean {
    this.#busyMs += ms
    this.#packets += packets
    if (this.#busyMs < maxBusyMs) return false
    const now = performance.now()
    const { user, system } = process.cpuUsage(this.#cpuAt)
    const isWorth = this.#busyMs / this.#packets < maxPacketMs && this.#carried / this.#busyMs > minBytesPerMs
    // On a machine that does other things, or slept, it is not this that took the time.
    const isOurs = now - this.#windowAt < windowMs && (user + system) / 1000 > this.#busyMs / 2
    this.#windowAt = now
    this.#cpuAt = process.cpuUsage()
    this.#busyMs = 0
    this.#packets = 0
    this.#carried = 0
    return isOurs && !isWorth
  }

  #growsTooLarge(): boolean {
    this.#checkAt = this.#debt + step
    const rss = process.memoryUsage.rss()
    this.#rssAt ??= rss
    const windows = this.unread * this.#streamWindow
    return this.#debt > maxDebt + windows && rss - this.#rssAt > maxGrowth + windows * 1.25
  }
}

// --- internal ---

const KiB = 1024
const MiB = 1024 * KiB

/** What a packet has beside what it carries, and what one has that only acknowledges. Bytes. */
const overhead = 64
/** Memory is looked at so often. Bytes of debt. */
const step = 256 * KiB
const maxDebt = MiB
/** What the process may grow by over a debt. Bytes. */
const maxGrowth = 32 * MiB

/** The time that quiche may take within a window is looked at when it comes to this. */
const maxBusyMs = 300
const windowMs = 1_000
/** A packet takes 8 µs on a laptop, and some 50 on a slow one. */
const maxPacketMs = 0.25
/** Under full load of the smallest packets it is more than ten times that. */
const minBytesPerMs = 100
