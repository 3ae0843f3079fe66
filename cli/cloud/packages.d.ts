/** What this project uses of s3rver, a Koa application that ships no types. */
declare module 's3rver' {
  import type { EventEmitter } from 'node:events'
  import type { IncomingHttpHeaders, RequestListener } from 'node:http'
  import type { Readable } from 'node:stream'

  export interface Context {
    readonly method: string
    /** Path of the request, still percent-encoded. */
    readonly path: string
    /** Without its question mark, still percent-encoded. */
    readonly querystring: string
    readonly headers: IncomingHttpHeaders
    /** Body of the request; the store reads whatever stands here. */
    req: Readable
  }

  export type Middleware = (context: Context, next: () => Promise<void>) => Promise<void>

  export interface StoredObject {
    bucket: string
    key: string
    content: Readable
    metadata: Record<string, string>
  }

  export interface Store {
    putBucket(name: string): Promise<unknown>
    existsObject(bucket: string, key: string): Promise<boolean>
    getResourcePath(bucket: string, key: string, resource: 'object'): string
    putMetadata(bucket: string, key: string, metadata: Record<string, string>, md5: string): Promise<void>
    putObject(object: StoredObject): Promise<{ size: number; md5: string }>
  }

  export default class S3rver extends EventEmitter {
    constructor(options: { directory: string; silent: boolean; vhostBuckets: boolean })
    readonly middleware: Middleware[]
    readonly store: Store
    readonly logger: { close(): void }
    callback(): RequestListener
  }
}

declare module 's3rver/lib/models/error.js' {
  /** An error that s3rver answers with S3's XML and the status that belongs to its code. */
  export default class S3Error extends Error {
    constructor(code: string, message: string, detail?: Record<string, string>)
  }
}

/** A script that is carried as text, so that the executable has it inside. */
declare module '*.cjs' {
  const text: string
  export default text
}
