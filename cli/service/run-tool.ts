import { printable } from '../../tunnel/net/printable.ts'
import { ServiceError } from './service-error.ts'

export interface ToolResult {
  code: number
  stdout: string
  stderr: string
}

/** A service manager answers within this time. Milliseconds. */
const limitMs = 120_000

/** Runs a program of the system, and gives its output and exit code. Throws a ServiceError where it is missing. */
export async function runTool(command: readonly string[]): Promise<ToolResult> {
  mustBeHere(command)
  const child = Bun.spawn([...command], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: limitMs,
    env: { ...process.env, SYSTEMD_COLORS: '0', SYSTEMD_PAGER: '', LC_ALL: 'C' },
  })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, stdout, stderr }
}

/** The same for what must succeed. Throws a ServiceError with the program's words. */
export async function mustRun(command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool(command)
  if (code === 0) return stdout
  const words = printable((stderr.trim() || stdout.trim()).split('\n').slice(-5).join(' '), 1_000)
  throw new ServiceError('E_SERVICE_MANAGER', `${command.join(' ')} failed (${code}): ${words}`)
}

/** Runs it with this process's own standard streams. Throws a ServiceError when it fails; a signal is no failure. */
export async function showTool(command: readonly string[]): Promise<void> {
  mustBeHere(command)
  const child = Bun.spawn([...command], { stdio: ['ignore', 'inherit', 'inherit'] })
  await child.exited
  // Its own message is on the standard error.
  if (child.exitCode)
    throw new ServiceError('E_SERVICE_MANAGER', `${command.join(' ')} failed (${child.exitCode})`)
}

// --- internal ---

function mustBeHere([program = '']: readonly string[]): void {
  if (!Bun.which(program))
    throw new ServiceError(
      'E_SERVICE_UNSUPPORTED',
      `${program} is not on this machine: it has no such services`,
    )
}
