import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { unzipSync } from 'fflate'
import { nodeOptions, oldSpaceMb } from '../../function/modes.ts'
import { startCoturn } from '../support/coturn.ts'
import { functionZip } from '../support/function-zip.ts'
import { type LocalProxy, launchProxy, startProxy } from '../support/local-proxy.ts'
import { startMoto } from '../support/moto.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { startS3StandIn } from '../support/s3-stand-in.ts'
import { credentials, motoEnvironment, region } from '../support/stack.ts'
import { type Container, type ContainerOptions, type Invoked, startContainer } from './container.ts'
import { type LambdaRuntime, lambdaRuntime } from './runtime.ts'
import { s3Event, s3Record } from './s3-event.ts'

// Amazon's side of a session, of parts that are not ours: moto's S3, coturn, AWS's emulator and runtime client with the
// very function.zip. S3's notification, which moto cannot give to an emulator, is a stand-in here.

export interface World {
  /** A container of the function, cold. */
  container(options?: Partial<ContainerChoices>): Promise<Container>
  /** Offers go to this container from now on, one at a time; `undefined` gives them to nobody. */
  deliverTo(container: Container | undefined): void
  /** What came of the invocations that were delivered, in order. */
  invoked: Promise<Invoked>[]
  /** A client, not waited for, or one that is ready. */
  launch(args?: readonly string[]): Promise<LocalProxy>
  proxy(args?: readonly string[]): Promise<LocalProxy>
  /** Keys of the offers that were written, in order. */
  offers: string[]
  /** S3's record of an offer. */
  recordOf(key: string, eventTime?: Date): object
  /** What stands at the far end of the tunnel. */
  origin: Origin
  close(): Promise<void>
}

export interface ContainerChoices extends Pick<ContainerOptions, 'node' | 'memoryMb' | 'timeoutS'> {
  environment: Record<string, string>
}

const bucket = 'lambda-nat-proxy-test'

/** Undefined, with the reason told, where a part cannot be had. */
export async function startWorld(): Promise<World | undefined> {
  const runtime = lambdaRuntime()
  const moto = runtime && (await startMoto())
  return moto && build(runtime, moto)
}

// --- internal ---

async function build(
  runtime: LambdaRuntime,
  moto: { endpoint: string; close(): Promise<void> },
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const task = join(folder, 'task')
  await mkdir(task)
  for (const [name, bytes] of Object.entries(unzipSync(await functionZip())))
    await writeFile(join(task, name), bytes)
  const stun = await startCoturn(folder)
  const origin = await startOrigin()
  const s3 = new S3Client({ endpoint: moto.endpoint, region, credentials, forcePathStyle: true })
  await s3.send(
    new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
  )

  let target: Container | undefined
  const containers: Container[] = []
  const proxies: LocalProxy[] = []
  const offers: string[] = []
  const last = new Map<Container, Promise<unknown>>()
  const invoked: Promise<Invoked>[] = []
  const recordOf = (key: string, eventTime?: Date) => s3Record(region, bucket, key, eventTime)
  const offerPut = new RegExp(`^PUT /${bucket}/(sessions/[^/]+/offer\\.json)(?:\\?| ).*200$`)
  const notifying = await startS3StandIn(moto.endpoint, answered => {
    const key = offerPut.exec(answered)?.[1]
    if (key === undefined) return
    offers.push(key)
    const container = target
    if (!container) return
    // A container is given its next event when it has answered the last one.
    const before = last.get(container) ?? Promise.resolve()
    const next = before.then(() => container.invoke(s3Event(recordOf(key))))
    last.set(container, next)
    invoked.push(next)
  })
  const kept = async (proxy: Promise<LocalProxy>) => {
    proxies.push(await proxy)
    return proxy
  }
  const choices = (args: readonly string[]) => ({
    args: ['--bucket', bucket, '--region', region, '--stun', stun.address, ...args],
    env: motoEnvironment(notifying.endpoint),
  })

  return {
    origin,
    offers,
    invoked,
    recordOf,
    async container({ node = 24, memoryMb = 256, timeoutS = 600, environment = {} } = {}) {
      const container = await startContainer({
        ...{ runtime, node, task, memoryMb, timeoutS, region },
        environment: {
          ...motoEnvironment(moto.endpoint),
          STUN_SERVERS: stun.address,
          ALLOW_PRIVATE: 'true',
          MODE: 'test',
          NODE_OPTIONS: nodeOptions(oldSpaceMb(memoryMb)),
          ...environment,
        },
      })
      containers.push(container)
      return container
    },
    deliverTo(container) {
      target = container
    },
    launch: (args = []) => kept(launchProxy(choices(args))),
    proxy: (args = []) => kept(startProxy(choices(args))),
    async close() {
      await Promise.all(proxies.map(proxy => proxy.close()))
      await Promise.all(containers.map(container => container.close()))
      await Promise.all([stun.close(), moto.close()])
      notifying.close()
      origin.close()
      s3.destroy()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
