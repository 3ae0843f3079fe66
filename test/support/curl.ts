import { need } from './need.ts'

export interface Fetched {
  /** curl's exit code: 0 when it got an answer. */
  exit: number
  /** Of the last answer; 0 when there was none. */
  status: number
  body: string
}

/** True when curl is there. */
export const haveCurl = (): boolean => need(['curl'], ['curl'])

/** Runs curl, with nothing of this machine's settings. */
export async function curl(...args: string[]): Promise<Fetched> {
  const child = Bun.spawn(['curl', '-q', '-sS', '-m', '20', '-w', '\n%{http_code}', ...args], {
    env: { PATH: process.env.PATH },
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const [exit, said] = await Promise.all([child.exited, child.stdout.text()])
  const end = said.lastIndexOf('\n')
  return { exit, status: Number(said.slice(end + 1)), body: said.slice(0, end) }
}
