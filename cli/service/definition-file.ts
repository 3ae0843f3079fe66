import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemReason } from '../input/system-error.ts'
import { ServiceError } from './service-error.ts'

/** A definition of a service that this program wrote; `mark` is in every one. */
export interface DefinitionFile {
  readonly path: string
  readonly exists: boolean
  /** Throws a ServiceError where a foreign file is there, or it cannot be written. */
  write(text: string): void
  remove(): void
}

export function definitionFile(path: string, mark: string): DefinitionFile {
  const checkOurs = () => {
    if (existsSync(path) && !readFileSync(path, 'utf8').includes(mark))
      throw new ServiceError('E_SERVICE_FOREIGN', `${path} was not written by this program`, {
        hint: 'Move it away, and run this again.',
      })
  }
  const attempt = (action: () => void) => {
    try {
      action()
    } catch (error) {
      if (error instanceof ServiceError) throw error
      throw new ServiceError('E_SERVICE_RIGHTS', `${path} cannot be changed: ${systemReason(error)}`, {
        cause: error,
      })
    }
  }
  return {
    path,
    get exists() {
      return existsSync(path)
    },
    write: text =>
      attempt(() => {
        checkOurs()
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, text, { mode: 0o644 })
      }),
    remove: () =>
      attempt(() => {
        checkOurs()
        rmSync(path, { force: true })
      }),
  }
}
