import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startLocalCloud } from '../support/local-cloud.ts'
import { fetchBytes, startOrigin } from '../support/origin.ts'
import { needArm64 } from './arm64.ts'

// The function's bundle for arm64, emulated, with a client on this machine's own processor.

const test = suite('Lambda: arm64')
const arm64 = await needArm64()

if (arm64)
  test('the function on arm64 has the native engine, and carries a session', async () => {
    assert.is(execFileSync(arm64.node, ['-p', 'process.arch'], { encoding: 'utf8' }).trim(), 'arm64')
    const origin = await startOrigin()
    const local = await startLocalCloud({ functionZip: arm64.zip, node: arm64.node })
    try {
      const proxy = await local.proxy()
      const { engines } = proxy.told('exit.ready')[0]!
      assert.match(engines.exit!, /^native /)
      const fetched = await fetchBytes({ proxy: proxy.port, origin, bytes: 4 * 1024 * 1024 })
      assert.equal([fetched.complete, fetched.wrong], [true, 0])
      assert.is(await proxy.stop('SIGINT'), 0)
    } finally {
      await local.close()
      origin.close()
    }
  })

test.run()
