import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('a command that is interrupted')

const module = join(import.meta.dir, '../../cli/commands/interrupt.ts')

/** Runs work that interrupts itself, with `signal` for when that is heard; gives its exit code and what it wrote. */
async function run(
  work: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ code: number; output: string; errors: string }> {
  const script = `
    import { interruptible } from ${JSON.stringify(module)}
    await interruptible(async signal => {
      const heard = new Promise(resolve => signal.addEventListener('abort', resolve))
      process.kill(process.pid, 'SIGINT')
      await heard
      ${work}
    }, { exitCode: 0 })`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'pipe', env })
  const [output, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, output, errors }
}

test('all that it has written reaches whoever reads it', async () => {
  const { code, output } = await run("process.stdout.write('x'.repeat(2_000_000))")
  assert.equal([code, output.length], [0, 2_000_000])
})

test('a failure that comes of the end is no other exit code, and DEBUG shows it', async () => {
  const failing = "throw new Error('of the end')"
  assert.equal(await run(failing, { ...process.env, DEBUG: '' }), { code: 0, output: '', errors: '' })
  const { code, errors } = await run(failing, { ...process.env, DEBUG: '1' })
  assert.is(code, 0)
  assert.match(errors, 'Error: of the end')
})

test.run()
