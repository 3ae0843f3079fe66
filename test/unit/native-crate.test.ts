import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findCargo } from '../../native/toolchain.ts'

// What can be said of the Rust crates without building them. cargo-deny (native/README.md) also knows the advisories,
// which come from the network.

interface Crate {
  name: string
  version: string
  license: string | null
  /** Null for the crates of this tree. */
  source: string | null
}

const native = join(import.meta.dir, '../../native')
const cratesIo = 'registry+https://github.com/rust-lang/crates.io-index'
const cargo = await findCargo()
const test = suite('the Rust crates')

/** Cargo's answer, or its complaint. */
function ask(args: string[], cwd = native): string {
  const { status, stdout, stderr } = spawnSync(cargo!, args, { cwd, encoding: 'utf8', maxBuffer: 64 << 20 })
  assert.is(status, 0, stderr || stdout)
  return stdout
}

/** All that the crates of a folder are built of, as its lock file has them. */
const cratesOf = (folder: string): Crate[] =>
  JSON.parse(ask(['metadata', '--locked', '--format-version', '1'], join(native, folder))).packages

/** An SPDX expression: AND binds tighter than OR, but where parentheses hold the alternatives together. */
function isAllowed(license: string, allowed: ReadonlySet<string>): boolean {
  const text = license.replaceAll('/', ' OR ')
  const some = (part: string, rest: (each: string) => boolean) => part.split(' OR ').some(rest)
  const every = (part: string, rest: (each: string) => boolean) => part.split(' AND ').every(rest)
  const one = (name: string) => allowed.has(name.replaceAll(/[()]/g, '').trim())
  return text.includes('(') ? every(text, part => some(part, one)) : some(text, part => every(part, one))
}

if (!cargo) {
  const message = 'there is no cargo on this machine, and the Rust crates are not looked at'
  if (process.env.CI === 'true') throw new Error(message)
  console.error(`\n*** LEFT OUT: ${process.argv[1]}: ${message}\n`)
} else {
  test('are formatted', () => {
    ask(['fmt', '--all', '--check'])
  })

  test('come from crates.io, under licences that go with this project’s', () => {
    const [, list = ''] = /^allow = \[(.*?)\]/ms.exec(readFileSync(join(native, 'deny.toml'), 'utf8')) ?? []
    const allowed = new Set(Array.from(list.matchAll(/"([^"]+)"/g), ([, name]) => name!))
    assert.ok(allowed.has('MIT'))
    const crates = cratesOf('.')
    assert.ok(crates.length > 50)
    const others = crates.filter(({ source }) => source !== null)
    assert.equal(
      others.filter(({ source }) => source !== cratesIo).map(({ name, source }) => `${name} ${source}`),
      [],
    )
    assert.equal(
      others
        .filter(({ license }) => !isAllowed(license ?? 'none', allowed))
        .map(({ name, version, license }) => `${name} ${version}: ${license}`),
      [],
    )
  })

  test('of the fuzz target are locked', () => {
    assert.ok(cratesOf('fuzz').some(({ name }) => name === 'libfuzzer-sys'))
  })
}

test.run()
