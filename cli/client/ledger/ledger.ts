import { Database, SQLiteError } from 'bun:sqlite'
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { CodedError } from '../../../tunnel/net/coded-error.ts'
import { systemReason } from '../../input/system-error.ts'

export interface Traffic {
  up: number
  down: number
}

/** The ledger cannot be opened, read or written. */
export class LedgerError extends CodedError<'E_LEDGER'> {
  override readonly name = 'LedgerError'
}

/** How long a write waits for another process; after that it is retried at the next one. Milliseconds. */
const busyMs = 250
/** Opening waits longer: it is not retried, and several processes may start at once. Milliseconds. */
const openingMs = 5_000
/** The number of days with entries that are kept. Not by the calendar: a clock that was wrong once would empty it. */
const keptDays = 400

/**
 * What was spent and carried, by days of UTC, of all runs on this machine: a database of SQLite's, which several
 * processes add to at once, and which is whole after a crash. All of it throws LedgerErrors.
 */
export class Ledger {
  readonly #path: string
  readonly #database: Database

  /** Without a path it is kept in memory. */
  constructor(path = ':memory:') {
    this.#path = path
    this.#database = this.#try(() => {
      if (path !== ':memory:') makePrivate(path)
      const database = new Database(path, { create: true, strict: true })
      database.run(`PRAGMA busy_timeout = ${openingMs}`)
      useWriteAheadLog(database)
      database.run('PRAGMA synchronous = NORMAL')
      database.run('CREATE TABLE IF NOT EXISTS spend (day TEXT PRIMARY KEY, dollars REAL NOT NULL)')
      database.run(
        'CREATE TABLE IF NOT EXISTS traffic (user TEXT, day TEXT, up INTEGER NOT NULL, down INTEGER NOT NULL, PRIMARY KEY (user, day))',
      )
      for (const table of ['spend', 'traffic'])
        database.run(
          `DELETE FROM ${table} WHERE day <= (SELECT DISTINCT day FROM ${table} ORDER BY day DESC LIMIT 1 OFFSET ${keptDays})`,
        )
      database.run(`PRAGMA busy_timeout = ${busyMs}`)
      return database
    })
  }

  addSpend(day: string, dollars: number): void {
    this.#try(() =>
      this.#database
        .query(
          'INSERT INTO spend VALUES (?, ?) ON CONFLICT DO UPDATE SET dollars = dollars + excluded.dollars',
        )
        .run(day, dollars),
    )
  }

  /** Dollars of the days that begin like this. */
  spend(prefix: string): number {
    const row = this.#try(
      () =>
        this.#database
          .query('SELECT coalesce(sum(dollars), 0) AS dollars FROM spend WHERE day GLOB ?')
          .get(`${prefix}*`) as { dollars: number },
    )
    return row.dollars
  }

  /** Of all users at once, or of none. */
  addTraffic(day: string, users: ReadonlyMap<string, Traffic>): void {
    this.#try(() => {
      const add = this.#database.query(
        'INSERT INTO traffic VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET up = up + excluded.up, down = down + excluded.down',
      )
      const all = this.#database.transaction(() => {
        for (const [user, { up, down }] of users) add.run(user, day, up, down)
      })
      all.immediate()
    })
  }

  /** Bytes of a user on the days that begin like this. */
  traffic(user: string, prefix: string): Traffic {
    return this.#try(
      () =>
        this.#database
          .query(
            'SELECT coalesce(sum(up), 0) AS up, coalesce(sum(down), 0) AS down FROM traffic WHERE user = ? AND day GLOB ?',
          )
          .get(user, `${prefix}*`) as Traffic,
    )
  }

  close(): void {
    this.#database.close()
  }

  #try<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw new LedgerError('E_LEDGER', `${this.#path} cannot be used: ${systemReason(error)}`, {
        hint: 'Make its folder writable, or move a damaged file away: what was spent and used is counted anew then.',
        cause: error,
      })
    }
  }
}

// --- internal ---

/** SQLite does not wait for its lock here where two would wait for each other: who has it is done in a moment. */
function useWriteAheadLog(database: Database): void {
  for (const limit = performance.now() + openingMs; ; Bun.sleepSync(10 + Math.random() * 20)) {
    try {
      return void database.run('PRAGMA journal_mode = WAL')
    } catch (error) {
      const isBusy = error instanceof SQLiteError && (error.errno & 0xff) === busy
      if (!isBusy || performance.now() > limit) throw error
    }
  }
}

/** SQLITE_BUSY: the low byte of SQLite's result codes, whose others say why. */
const busy = 5

/** Only its owner reads it; the database's other files get the same mode. */
function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // Opening a pipe would wait for who reads it.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
    throw new Error('it is not a regular file')
  closeSync(openSync(path, 'a', 0o600))
}
