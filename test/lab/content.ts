import { createCipheriv, createHash } from 'node:crypto'

// Bytes that both ends know without sending them: a keystream, so that nothing compresses and no two places are alike.

export const content = (length: number): Buffer =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(length))

export const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex')
