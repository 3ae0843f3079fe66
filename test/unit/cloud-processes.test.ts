import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import { startCloud } from '../../cli/cloud/cloud.ts'
import { CloudError, maxProcesses } from '../../cli/cloud/errors.ts'
import { failure, putIn, report, runnerSuite } from '../support/function-runner.ts'
import { runs } from '../support/runs.ts'
import { until } from '../support/until.ts'

const test = runnerSuite("the function runner's processes")

test('a process that is idle handles the next event; events at the same time get a process each', async ({
  start,
}) => {
  const cloud = await start()
  const first = await report(cloud)
  const second = await report(cloud)
  assert.is(second.pid, first.pid)
  assert.is(second.events, 2)
  const both = await Promise.all([report(cloud), report(cloud)])
  assert.is(new Set(both.map(({ pid }) => pid)).size, 2)
})

test('a process that was started ahead takes the first event', async ({ start }) => {
  const cloud = await start({ prewarm: 1 })
  const [ahead] = cloud.processes()
  assert.is((await report(cloud)).pid, ahead?.pid)
})

test('its end kills the processes of all regions before it waits for one', async ({ start }) => {
  const cloud = await start({ regions: ['local-1', 'local-2', 'local-3'], prewarm: 2 })
  const pids = cloud.processes().map(({ pid }) => pid)
  assert.is(pids.length, 6)
  const killed: number[] = []
  const { kill } = process
  process.kill = (pid, signal) => {
    killed.push(-pid)
    return kill(pid, signal)
  }
  try {
    const closing = cloud.close()
    assert.equal(killed.sort(), pids.sort())
    await closing
  } finally {
    process.kill = kill
  }
})

for (const way of ['hang', 'block'])
  test(`a handler that would ${way} is killed at the deadline, and the log says so`, async ({
    start,
    logs,
  }) => {
    const cloud = await start({ timeoutMs: 300 })
    const { status, errorType, errorMessage, pid } = await failure(cloud, { do: way })
    assert.is(status, 'timeout')
    assert.is(errorType, 'Sandbox.Timedout')
    assert.is(errorMessage, 'Task timed out after 0.30 seconds')
    await until(() => !runs(pid), 'the end of the process')
    assert.ok(logs.some(({ level, message }) => level === 'ERROR' && message === errorMessage))
    assert.is(logs.find(({ message }) => message === 'platform.report')?.status, 'timeout')
  })

test('a process that ends, or is killed, in the middle of an event is an error, and the next event gets another', async ({
  start,
  logs,
}) => {
  const cloud = await start()
  const exit = await failure(cloud, { do: 'exit' })
  assert.equal(
    [exit.errorType, exit.errorMessage],
    ['Runtime.ExitError', 'the process ended with exit code 7'],
  )

  const killed = failure(cloud, { do: 'hang' })
  await until(() => logs.some(({ message }) => message === 'hanging'), 'the handler')
  const [process] = cloud.processes()
  assert.is(process?.state, 'busy')
  assert.ok(cloud.kill(process!.pid))
  assert.is((await killed).errorMessage, 'the process ended by SIGKILL')
  assert.not(cloud.kill(process!.pid))
  assert.is((await report(cloud)).events, 1)
})

test('no more than so many processes run at once, in all regions together, and the log says so', async ({
  start,
  logs,
}) => {
  const cloud = await start({ regions: ['local-1', 'local-2'], prewarm: maxProcesses })
  assert.is(cloud.processes().length, maxProcesses)
  const busy = cloud.processes().map(({ region }) => failure(cloud, { do: 'hang' }, region))
  const error = await cloud.deliver({}, 'local-2').catch(error => error)
  assert.is(error.code, 'E_FUNCTION_PROCESSES_FULL')

  await putIn(cloud, 'local-1', 'sessions/abc/offer.json')
  await until(() => logs.some(({ code }) => code === 'E_FUNCTION_PROCESSES_FULL'), 'the line in the log')
  assert.is(cloud.processes().length, maxProcesses)
  for (const { pid } of cloud.processes()) cloud.kill(pid)
  await Promise.all(busy)
})

test('an idle process ends after its time', async ({ start }) => {
  const cloud = await start({ idleMs: 50 })
  const { pid } = await report(cloud)
  await until(() => !runs(pid) && cloud.processes().length === 0, 'the end of the idle process')
})

test('close ends every process, busy or idle, and removes the folder; it may be called twice', async ({
  start,
  logs,
}) => {
  const cloud = await start({ prewarm: 2 })
  const { env } = await report(cloud)
  const busy = failure(cloud, { do: 'block' })
  const other = failure(cloud, { do: 'hang' })
  await until(() => logs.some(({ message }) => message === 'hanging'), 'the handler')
  const pids = cloud.processes().map(({ pid }) => pid)
  assert.is(pids.length, 2)
  await Promise.all([cloud.close(), cloud.close()])
  assert.equal(pids.filter(runs), [])
  assert.not(existsSync(join(env.LAMBDA_TASK_ROOT!, '..')))
  for (const { errorType } of [await busy, await other]) assert.is(errorType, 'Runtime.ExitError')
  assert.is(await cloud.deliver({}).catch(error => error.message), 'the embedded cloud is closed')
})

test('without Node the function runs on Bun; what is no Node is refused by name', async ({ start }) => {
  const { PATH } = process.env
  process.env.PATH = import.meta.dir
  try {
    const { version } = await report(await start({ node: undefined }))
    assert.is(version, process.version)
  } finally {
    process.env.PATH = PATH
  }
  for (const program of [join(import.meta.dir, 'none'), '/bin/true']) {
    const error = await start({ node: program }).catch(error => error)
    assert.instance(error, CloudError)
    assert.match(error.message, program)
    assert.match(error.message, '--node')
  }
})

test('a start that is called off while the function is still being built waits for nothing', async () => {
  const stop = new AbortController()
  const starting = startCloud({ functionZip: new Promise(() => {}), signal: stop.signal })
  const reason = new Error('called off')
  stop.abort(reason)
  assert.is(await starting.catch(error => error), reason)
})

test('a program that cannot be run is given up without harm to whoever asked for it', async () => {
  const script = `
    import { startProcess } from ${JSON.stringify(join(import.meta.dir, '../../cli/cloud/process.ts'))}
    const process = startProcess({ command: ['/no/such/program'], cwd: '.', environment: {}, onLine() {} })
    process.kill()
    await process.ended
    console.log((await process.loaded).error.errorType)`
  // In a process group of its own: that is what would be killed.
  const requester = spawn(process.execPath, ['-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  assert.is((await text(requester.stdout)).trim(), 'Runtime.InvalidEntrypoint')
})

test.run()
