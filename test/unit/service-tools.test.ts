import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { showTool } from '../../cli/service/run-tool.ts'
import { taskXml } from '../../cli/service/task-xml.ts'

const test = suite('tools of service managers')

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    error => error.code,
  )

const run = (script: string) => showTool([process.execPath, '-e', script])

test('a program that shows something and fails, or is not there, is an error', async () => {
  assert.is(await codeOf(run('process.exit(0)')), undefined)
  assert.is(await codeOf(run('process.exit(3)')), 'E_SERVICE_MANAGER')
  assert.is(await codeOf(showTool(['no-such-program-anywhere'])), 'E_SERVICE_UNSUPPORTED')
})

test('who ends it, or no longer reads it, asks for no error', async () => {
  assert.is(await codeOf(run("process.kill(process.pid, 'SIGTERM')")), undefined)
})

test('a path that the command interpreter of Windows would read as another is refused', () => {
  const plan = { scope: 'user', command: ['C:\\a.exe', 'run'], log: 'C:\\a.log', user: 'HOME\\a' } as const
  assert.match(taskXml(plan), 'C:\\a.exe')
  for (const changed of [{ command: ['C:\\100%\\a.exe'] }, { log: 'C:\\%TEMP%\\a.log' }])
    assert.throws(() => taskXml({ ...plan, ...changed }), /cannot name C:/)
})

test.run()
