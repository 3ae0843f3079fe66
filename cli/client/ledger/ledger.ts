import { Database } from 'bun:sqlite'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { CodedError } from '../../../tunnel/net/coded-error.ts'
import { systemReason } from '../../input/system-error.ts'
import { dayOf } from './period.ts'

export interface Traffic {
  up: number
  down: number
}

/** The ledger cannot be opened, read or written. */
export class LedgerError extends CodedError<'E_LEDGER'> {
  override readonly name = 'LedgerError'
}

/** Another process has it for longer than this: what was to be written is written the next time. Milliseconds. */
const busyMs = 250
/** Days that are kept. */
const keptDays = 400

/**
 * What was spent and carried, by days of UTC, of all runs on this machine: a database of SQLite's, which several
 * processes add to at once, and which is whole after a crash. All of it throws LedgerErrors.
 */
export class Ledger {
  readonly #path: string
  readonly #database: Database

  /** Without a path it is kept in memory. */
  constructor(path = ':memory:', now = Date.now()) {
    this.#path = path
    this.#database = this.#try(() => {
      if (path !== ':memory:') makePrivate(path)
      const database = new Database(path, { create: true, strict: true })
      database.run(`PRAGMA busy_timeout = ${busyMs}`)
      database.run('PRAGMA journal_mode = WAL')
      database.run('PRAGMA synchronous = NORMAL')
      database.run('CREATE TABLE IF NOT EXISTS spend (day TEXT PRIMARY KEY, dollars REAL NOT NULL)')
      database.run(
        'CREATE TABLE IF NOT EXISTS traffic (user TEXT, day TEXT, up INTEGER NOT NULL, down INTEGER NOT NULL, PRIMARY KEY (user, day))',
      )
      const oldest = dayOf(now - keptDays * 86_400_000)
      for (const table of ['spend', 'traffic']) database.run(`DELETE FROM ${table} WHERE day < ?`, [oldest])
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
    const add = this.#database.query(
      'INSERT INTO traffic VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET up = up + excluded.up, down = down + excluded.down',
    )
    const all = this.#database.transaction(() => {
      for (const [user, { up, down }] of users) add.run(user, day, up, down)
    })
    this.#try(() => all.immediate())
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

/** Only its owner reads it; the database's other files get the same mode. */
function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}
