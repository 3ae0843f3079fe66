import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { endAll, execute } from '../support/execute.ts'
import { patient } from '../support/patience.ts'
import { runs } from '../support/runs.ts'
import { killStrays, ownerOf } from '../support/strays.ts'
import { until } from '../support/until.ts'

// How test/run.ts runs a test file.

interface Context {
  folder: string
  /** Runs this text as a script, in `folder`. */
  run: (script: string, limits?: { limitMs?: number; lastMs?: number }) => ReturnType<typeof execute>
  /** What a script has written to a file there. */
  note: (name: string) => Promise<string>
}

const test = suite<Context>('a test file as a process')

test.before.each(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.run = async (script, { limitMs = 60_000, lastMs = 60_000 } = {}) => {
    const file = join(context.folder, 'script.ts')
    await writeFile(file, script)
    return execute([file], {
      cwd: context.folder,
      env: process.env,
      limitMs: patient(limitMs),
      last: { words: /^Duration: /m, limitMs: lastMs },
    })
  }
  context.note = async name => {
    const path = join(context.folder, name)
    await until(() => existsSync(path), `the file ${name}`)
    return readFile(path, 'utf8')
  }
})
test.after.each(({ folder }) => rm(folder, { recursive: true }))

/** Writes where its temporary files are, and the ids of two programs that it leaves running. */
const messy = `
  import { spawn } from 'node:child_process'
  import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
  import { tmpdir } from 'node:os'
  import { join } from 'node:path'
  const note = (name, text) => {
    writeFileSync(name + '.part', text)
    renameSync(name + '.part', name)
  }
  mkdtempSync(join(tmpdir(), 'left-'))
  note('temporary', tmpdir())
  const inGroup = spawn('sleep', ['1000'], { stdio: 'inherit' })
  const alone = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true })
  note('pids', inGroup.pid + ' ' + alone.pid)
`

async function nothingIsLeft({ note }: Context): Promise<void> {
  assert.not(existsSync(await note('temporary')))
  for (const pid of (await note('pids')).split(' ').map(Number))
    await until(() => !runs(pid), 'the end of a program that it started')
}

test('its output and exit code are given, and nothing of it is left', async context => {
  assert.equal(await context.run(`${messy}; console.log('out'); process.exit(3)`), {
    output: 'out\n',
    end: 3,
  })
  await nothingIsLeft(context)
})

test('one that hangs is ended at its limit', async context => {
  const { end } = await context.run(`${messy}; setInterval(() => {}, 1_000)`, { limitMs: 500 })
  assert.match(String(end), /^not done within \d/)
  await nothingIsLeft(context)
})

test('one that has told its totals and goes on is ended, and that is no success', async ({ run }) => {
  const { output, end } = await run(`console.log('Duration: 1ms'); setInterval(() => {}, 1_000)`, {
    lastMs: 50,
  })
  assert.is(output, 'Duration: 1ms\n')
  assert.match(String(end), 'something is left open')
})

test('one that is interrupted cleans up after itself, and what it leaves goes with it', async context => {
  const { folder, run, note } = context
  const running = run(`${messy}
    process.on('SIGTERM', () => {
      note('cleaned', tmpdir())
      process.exit(0)
    })
    note('ready', '')
    setInterval(() => {}, 1_000)
  `)
  await note('ready')
  await endAll()
  await running
  assert.ok((await readdir(folder)).includes('cleaned'))
  await nothingIsLeft(context)
})

if (existsSync('/proc/self/environ')) {
  const start = (env: NodeJS.ProcessEnv) =>
    spawn('/bin/sleep', ['1000'], { stdio: 'ignore', detached: true, env })

  test("a program that is only just being started is not taken for somebody else's", ({ folder }) => {
    const owners = Array.from({ length: 100 }, () => {
      const program = start({ TMPDIR: folder })
      let owner = ownerOf(program.pid!, folder)
      while (owner === 'unknown') owner = ownerOf(program.pid!, folder)
      program.kill()
      return owner
    })
    assert.equal([...new Set(owners)], ['folder'])
  })

  test('what is left is killed, and a program without an environment is not', async ({ folder }) => {
    const [own, bare] = [start({ TMPDIR: folder }), start({})]
    try {
      killStrays(folder)
      await until(() => own.signalCode === 'SIGKILL', 'the end of what is left')
      await until(() => ownerOf(bare.pid!, folder) === 'other', 'a program without an environment')
      assert.is(bare.signalCode, null)
    } finally {
      own.kill()
      bare.kill()
    }
  })
}

const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0
if (canMount)
  test('what it leaves mounted is not removed with its files', async context => {
    const { folder, run, note } = context
    const kept = join(folder, 'kept')
    await mkdir(kept)
    await writeFile(join(kept, 'file'), 'content')
    const { end } = await run(`${messy}
      import { spawnSync } from 'node:child_process'
      const place = mkdtempSync(join(tmpdir(), 'mount-'))
      process.exit(spawnSync('mount', ['--bind', '${kept}', place]).status)
    `)
    assert.is(end, 0)
    assert.is(await note('kept/file'), 'content')
    await nothingIsLeft(context)
  })

test.run()
