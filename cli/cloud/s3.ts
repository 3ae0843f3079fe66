import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import S3rver from 's3rver'
import { listenError } from '../input/listen-error.ts'
import type { Credentials } from './s3-auth.ts'
import type { S3Event } from './s3-event.ts'
import { putWhole, strict } from './s3-strict.ts'

export interface LocalS3 {
  readonly port: number
  close(): Promise<void>
}

export interface S3Options {
  host: string
  /** 0 takes any that is free. */
  port: number
  /** Folder for the objects; whoever made it removes it. */
  directory: string
  buckets: string[]
  /** Who signs with another key pair is refused. */
  credentials: Credentials
  /** Called with s3rver's own event for each object created or removed, once it can be read. */
  onEvent: (event: S3Event) => void
}

/** An S3 endpoint (path style) that keeps objects in a folder. Throws a ListenError when the port cannot be had. */
export async function startS3(options: S3Options): Promise<LocalS3> {
  const { host, port, directory, buckets, credentials, onEvent } = options
  const app = new S3rver({ directory, silent: true, vhostBuckets: false })
  app.middleware.unshift(strict(app.store, credentials))
  app.store.putObject = putWhole(app.store)
  app.on('event', onEvent)
  for (const bucket of buckets) await app.store.putBucket(bucket)

  const server = createServer(app.callback())
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    app.logger.close()
    throw listenError(error, 'S3', { host, port })
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      // Clients keep their connections open between requests; nobody waits for those.
      server.closeAllConnections()
      await closed
      app.logger.close()
    },
  }
}
