import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needGo, needPip } from '../support/need.ts'
import { folder } from './module.ts'

// What platform teams run over a module before they take it: checkov, with the checks that README.md gives reasons for
// switched off, and tflint with its rules for the language.

const test = suite('terraform lint')
const python = needPip(['checkov'])
const tflint = needGo('github.com/terraform-linters/tflint', 'v0.54.0')
const examples = readdirSync(join(folder, 'examples')).map(name => join(folder, 'examples', name))

interface Scan {
  summary: { passed: number; failed: number; parsing_errors: number }
  results: { failed_checks: { check_id: string; check_name: string; resource: string }[] }
}

/** Runs checkov over a folder, and the module that an example calls; without asking anything of its own servers. */
function scan(place: string): Scan {
  const args = ['-d', place, '--config-file', join(folder, '.checkov.yaml'), '-o', 'json', '--skip-download']
  const { stdout, stderr } = spawnSync(join(dirname(python!), 'checkov'), args, {
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 64 * 1024 * 1024,
  })
  try {
    return JSON.parse(stdout)
  } catch {
    throw new Error(`checkov said no JSON: ${stdout.slice(0, 500)}${stderr.slice(-500)}`)
  }
}

if (python) {
  test('checkov has nothing to say of the module and its examples, and looks at them', () => {
    const { summary, results } = scan(folder)
    assert.equal(
      results.failed_checks.map(
        ({ check_id, check_name, resource }) => `${check_id} ${check_name}: ${resource}`,
      ),
      [],
    )
    assert.is(summary.parsing_errors, 0)
    assert.ok(summary.passed > 100, `${summary.passed} checks passed`)
  })

  test('each check that is switched off has its reason in the README, and no other has one', () => {
    const settings = readFileSync(join(folder, '.checkov.yaml'), 'utf8')
    const skipped = [...settings.matchAll(/^ {2}- (CKV\w+)$/gm)].map(([, id]) => id)
    const reasons = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^\| (CKV\w+) +\|/gm)]
    assert.ok(skipped.length > 0)
    assert.equal(
      reasons.map(([, id]) => id),
      skipped,
    )
  })
}

if (tflint)
  test('tflint has nothing to say of the module and its examples', () => {
    // An example is one file, which the rules of the standard layout would have in three.
    const strict = [`--config=${join(folder, '.tflint.hcl')}`]
    for (const [place, options] of [
      [folder, strict] as const,
      ...examples.map(each => [each, []] as const),
    ]) {
      const { status, stdout, stderr } = spawnSync(
        tflint,
        [`--chdir=${place}`, '--format=compact', ...options],
        {
          encoding: 'utf8',
          timeout: 60_000,
        },
      )
      assert.is(status, 0, `${place}: ${stdout}${stderr}`)
    }
  })

if (python || tflint) test.run()
