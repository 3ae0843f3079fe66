#!/usr/bin/env node
'use strict'

// What `npx lambda-nat-proxy` runs: it finds the executable of this platform, which npm has installed beside it, and
// gets out of its way. Plain JavaScript: nothing stands between it and Node 20.

const { spawn } = require('node:child_process')
const { constants } = require('node:os')

const platform = `${process.platform}-${process.arch}`
const suffix = process.platform === 'win32' ? '.exe' : ''
/** As a shell has it for a program that is not found, and for one that cannot be run. */
const exitCodes = { notFound: 127, notRunnable: 126 }

const program = find()
if (program) run(program)

function find() {
  try {
    return require.resolve(`@lambda-nat-proxy/cli-${platform}/bin/lambda-nat-proxy${suffix}`)
  } catch {
    const { optionalDependencies } = require('./package.json')
    const packages = Object.keys(optionalDependencies)
    fail(
      packages.includes(`@lambda-nat-proxy/cli-${platform}`)
        ? `the package @lambda-nat-proxy/cli-${platform} is not installed: install lambda-nat-proxy again with optional packages, on this kind of system (on Linux with glibc)`
        : `there is no executable for ${platform}, only for ${packages.map(name => name.replace(/^.*\/cli-/, '')).join(', ')}`,
      exitCodes.notFound,
    )
    return undefined
  }
}

function run(path) {
  const pass = signal => child.kill(signal)
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'].filter(
    name => name in constants.signals,
  )
  // A Ctrl-C reaches both: the executable takes two so close together for one.
  for (const signal of signals) process.on(signal, pass)
  const child = spawn(path, process.argv.slice(2), { stdio: 'inherit' })
  child.on('error', ({ code }) => {
    fail(`${path} cannot be run (${code})`, exitCodes.notRunnable)
  })
  child.on('exit', (code, signal) => {
    for (const each of signals) process.off(each, pass)
    if (signal) process.kill(process.pid, signal)
    else process.exitCode = code
  })
}

function fail(message, code) {
  process.stderr.write(`lambda-nat-proxy: ${message}\n`)
  process.exitCode = code
}
