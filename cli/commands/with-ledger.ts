import { existsSync } from 'node:fs'
import { Ledger } from '../client/ledger/ledger.ts'
import { ledgerPath } from '../places/folders.ts'

/** Opens this user's ledger for one piece of work, and closes it however that ends. Throws LedgerErrors. */
export const withLedger = <T>(work: (ledger: Ledger) => T): T => closing(new Ledger(ledgerPath()), work)

/** The same for reading alone: a missing ledger counts as empty, and is not created. */
export const readingLedger = <T>(work: (ledger: Ledger) => T): T =>
  existsSync(ledgerPath()) ? withLedger(work) : closing(new Ledger(), work)

// --- internal ---

function closing<T>(ledger: Ledger, work: (ledger: Ledger) => T): T {
  try {
    return work(ledger)
  } finally {
    ledger.close()
  }
}
