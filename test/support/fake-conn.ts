import { OwnedConn } from '../../tunnel/net/owned-conn.ts'

/** A connection that takes as much as the test lets it, and says what the test has it say. */
export class FakeConn extends OwnedConn {
  readonly written: Buffer[] = []
  /** False: the next chunk is kept, as by a peer that does not read. */
  taking = true
  /** Chunks that it was given and has not taken. */
  readonly held: Uint8Array[] = []
  readonly said: string[] = []

  get full(): boolean {
    return this.held.length > 0
  }

  write(chunk: Uint8Array): boolean {
    if (this.taking) this.written.push(Buffer.from(chunk))
    else this.held.push(chunk)
    return this.taking
  }

  /** Takes what it holds. */
  take(): void {
    for (const chunk of this.held.splice(0)) this.written.push(Buffer.from(chunk))
    this.drained()
  }

  end = () => void this.said.push('end')
  abort = () => void this.said.push('abort')

  sayData(chunk: Uint8Array): void {
    this.received(chunk)
  }

  sayEnd(): void {
    this.ended()
  }

  sayClose(broken: boolean): void {
    this.over(broken)
  }

  protected stopReading = () => void this.said.push('pause')
  protected startReading = () => void this.said.push('resume')
}
