import { type ErrorData, errorData } from '../../tunnel/net/coded-error.ts'
import { printable } from '../../tunnel/net/printable.ts'

// What the operating system refuses, in words: its own "ENOENT: no such file or directory, open …" is for programmers.

/** Why the system refused, as the end of a sentence: "there is no such file or folder". */
export function systemReason(error: unknown): string {
  const { code, message } = system(error)
  return reasons[code]?.reason ?? printable(message)
}

/** As errorData, but an error of the system's says in words what it is about, why, and what to do. */
export function explained(error: unknown): ErrorData {
  const { code, path, host } = system(error)
  const known = reasons[code]
  if (!known) return errorData(error)
  const subject = path ?? host
  return {
    code,
    message: subject === undefined ? known.reason : `${printable(subject)}: ${known.reason}`,
    hint: known.hint,
  }
}

// --- internal ---

interface System {
  code: string
  message: string
  path: string | undefined
  host: string | undefined
}

function system(error: unknown): System {
  if (!(error instanceof Error)) return { code: '', message: String(error), path: undefined, host: undefined }
  const { code, syscall, path, hostname, address } = error as NodeJS.ErrnoException & {
    hostname?: unknown
    address?: unknown
  }
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return {
    // Folders are always made recursively, so EEXIST means that a file stands where a folder should.
    code: code === 'EEXIST' && syscall === 'mkdir' ? 'ENOTDIR' : (text(code) ?? ''),
    message: error.message,
    path: text(path),
    host: text(hostname) ?? text(address),
  }
}

const checkNetwork = 'Check the network.'
const checkPath = 'Check the path.'
const checkRights = 'Check who owns it and who may use it.'

const reasons: Partial<Record<string, { reason: string; hint: string }>> = {
  ENOENT: { reason: 'there is no such file or folder', hint: checkPath },
  ENOTDIR: { reason: 'a part of the path is not a folder', hint: checkPath },
  EISDIR: { reason: 'it is a folder', hint: checkPath },
  EEXIST: { reason: 'it exists already', hint: checkPath },
  ENAMETOOLONG: { reason: 'the name is too long', hint: checkPath },
  ELOOP: { reason: 'its symbolic links lead in a circle', hint: checkPath },
  EACCES: { reason: 'permission is denied', hint: checkRights },
  EPERM: { reason: 'permission is denied', hint: checkRights },
  EROFS: { reason: 'the file system is read-only', hint: 'Use a place that can be written.' },
  ENOSPC: { reason: 'the disk is full', hint: 'Make room, and try again.' },
  EDQUOT: { reason: 'the disk quota is used up', hint: 'Make room, and try again.' },
  EIO: { reason: 'the device failed', hint: 'Check the disk.' },
  EMFILE: { reason: 'too many files are open', hint: 'Raise the limit with "ulimit -n", and try again.' },
  ENFILE: { reason: 'too many files are open on this machine', hint: 'End other programs, and try again.' },
  ENOMEM: { reason: 'there is not enough memory', hint: 'End other programs, and try again.' },
  ENOEXEC: { reason: 'it is not a program for this machine', hint: checkPath },
  ENXIO: { reason: 'it is a pipe that nobody reads from, or a socket, not a regular file', hint: checkPath },
  ECONNREFUSED: { reason: 'the connection was refused', hint: checkNetwork },
  ECONNRESET: { reason: 'the connection was reset', hint: checkNetwork },
  ETIMEDOUT: { reason: 'there was no answer in time', hint: checkNetwork },
  EHOSTUNREACH: { reason: 'the host cannot be reached', hint: checkNetwork },
  ENETUNREACH: { reason: 'the network cannot be reached', hint: checkNetwork },
  ENOTFOUND: { reason: 'the name is not found', hint: 'Check the name, the network and DNS.' },
  EAI_AGAIN: { reason: 'the name cannot be looked up now', hint: 'Check the network and DNS.' },
}
