import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { installers } from '../../cli/build/install/installers.ts'
import { archiveName, stem } from '../../cli/build/release/names.ts'
import { checkTag, repositoryUrl } from '../../cli/build/release/repository.ts'
import { targets } from '../../cli/build/targets.ts'
import { version } from '../../package.json'
import { need } from '../support/need.ts'
import { firstPage } from './first-page.ts'
import { staged, target } from './staged.ts'

// The Homebrew formula and the Scoop manifest, of checksums as a whole release has them.

const repository = 'https://example.com/owner/lambda-nat-proxy'
const checksums = new Map(targets.map((target, i) => [archiveName(target), `${i}`.repeat(64)]))
const files = await installers({ repository, checksums })
const url = (name: string) => `${repository}/releases/download/v${version}/${name}`

const test = suite('formula and manifest')

test('the formula has the archive and the checksum of each of its platforms', () => {
  const formula = files.get('lambda-nat-proxy.rb')!
  for (const target of targets.filter(({ platform }) => !platform.startsWith('win32'))) {
    const name = archiveName(target)
    assert.match(formula, `url "${url(name)}"\n      sha256 "${checksums.get(name)}"`)
  }
})

// Homebrew itself comes from GitHub alone. This is as much of its language as the formula uses.
const brew = `
class Formula
  Place = Struct.new(:path) do
    def install(what)
      from, to = what.is_a?(Hash) ? what.first : [what, File.basename(what)]
      FileUtils.mkdir_p(path)
      FileUtils.cp(from, File.join(path, to))
    end
    def to_s = path
  end
  class << self
    attr_reader :urls
    %i[desc homepage license sha256].each { |name| define_method(name) { |value| } }
    def version(value = nil) = value ? @version = value : @version
    def url(value) = (@urls ||= []) << value
    %i[on_macos on_linux on_arm on_intel].each { |name| define_method(name) { |&block| instance_eval(&block) } }
    def test(&block) = define_method(:run_test, &block)
  end
  def version = self.class.version
  { bin: "bin", man1: "share/man/man1", bash_completion: "etc/bash_completion.d",
    zsh_completion: "share/zsh/site-functions", fish_completion: "share/fish/vendor_completions.d" }
    .each { |name, path| define_method(name) { Place.new(File.join(ENV.fetch("PREFIX"), path)) } }
  def shell_output(command) = \`#{command}\`
  def assert_match(wanted, said) = said.include?(wanted) || raise("#{said} lacks #{wanted}")
end
require "fileutils"
load ARGV[0]
formula = LambdaNatProxy.new
formula.install
formula.run_test
puts LambdaNatProxy.urls
`

test('Ruby reads the formula, and what it installs carries a page', async () => {
  if (!need(['ruby', 'curl'], ['ruby', 'curl'])) return
  const home = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
  try {
    const formula = join(home, 'lambda-nat-proxy.rb')
    writeFileSync(formula, files.get('lambda-nat-proxy.rb')!)
    writeFileSync(join(home, 'brew.rb'), brew)
    assert.match(spawnSync('ruby', ['-wc', formula], { encoding: 'utf8' }).stdout, 'Syntax OK')
    const prefix = join(home, 'prefix')
    // Homebrew starts in the one folder of the archive.
    const { stdout, stderr } = spawnSync('ruby', [join(home, 'brew.rb'), formula], {
      cwd: staged().unpacked,
      env: { ...process.env, PREFIX: prefix },
      encoding: 'utf8',
    })
    assert.is(stdout.trim().split('\n').length, targets.length - 1, stderr)
    assert.equal(readdirSync(prefix).sort(), ['bin', 'etc', 'share'])
    assert.ok(existsSync(join(prefix, 'etc/bash_completion.d/lambda-nat-proxy')))
    const program = join(prefix, 'bin/lambda-nat-proxy')
    const { ms } = await firstPage([program], { PATH: '/usr/bin:/bin', HOME: home }, home)
    console.log(`figure: from a formula, first page ${Math.round(ms)} ms after the command`)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
})

test('the archive alone, unpacked anywhere, carries a page', async () => {
  const home = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
  try {
    cpSync(staged().executable, join(home, 'lambda-nat-proxy'))
    const { ms } = await firstPage(
      [join(home, 'lambda-nat-proxy')],
      { PATH: '/usr/bin:/bin', HOME: home },
      home,
    )
    console.log(`figure: from the archive, first page ${Math.round(ms)} ms after the command`)
    const again = await firstPage(
      [join(home, 'lambda-nat-proxy')],
      { PATH: '/usr/bin:/bin', HOME: home },
      home,
    )
    console.log(`figure: from the archive once more, first page ${Math.round(again.ms)} ms`)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
})

test('the manifest has the zip, its checksum, the folder inside and the way to the next version', () => {
  const windows = targets.find(({ name }) => name === 'windows-x64')!
  const manifest = JSON.parse(files.get('lambda-nat-proxy.json')!)
  assert.equal(manifest.architecture['64bit'], {
    url: url(archiveName(windows)),
    hash: checksums.get(archiveName(windows)),
    extract_dir: stem(windows),
  })
  const next = manifest.autoupdate.architecture['64bit']
  const filled = JSON.parse(JSON.stringify(next).replaceAll('$version', version))
  assert.equal(filled, { url: url(archiveName(windows)), extract_dir: stem(windows) })
  assert.is(manifest.bin, `lambda-nat-proxy${windows.suffix}`)
  assert.is(manifest.version, version)
})

test('a part of a release has an installer, but no formula', async () => {
  const part = new Map([[archiveName(target), '0'.repeat(64)]])
  assert.equal([...(await installers({ repository, checksums: part })).keys()], ['install.sh'])
})

test('the repository is the one that is named, or the one that the build runs for', () => {
  const actions = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'owner/name' }
  assert.is(repositoryUrl(undefined, actions), 'https://github.com/owner/name')
  assert.is(repositoryUrl('git+https://example.com/a/b.git', actions), 'https://example.com/a/b')
  assert.is(repositoryUrl(undefined, {}), undefined)
  for (const wrong of [
    'http://example.com/a',
    'https://example.com',
    'git@example.com:a/b',
    'https://a/$(b)',
  ])
    assert.throws(() => repositoryUrl(wrong, {}), 'is not an https URL')
})

test('a tag of another version is refused', () => {
  const tag = (name: string) => ({ GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: name })
  assert.not.throws(() => checkTag({}))
  assert.not.throws(() => checkTag(tag(`v${version}`)))
  assert.throws(() => checkTag(tag('v9.9.9')), 'the tag is v9.9.9')
})

test.run()
