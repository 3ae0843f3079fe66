import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'

// The format: Apple's mach-o/loader.h (64-bit, little-endian) and cs_blobs.h (big-endian).

const segmentCommand = 0x19
const codeSignatureCommand = 0x1d
const pageBits = 12
const pageSize = 1 << pageBits
const superBlobHeader = 20
const codeDirectoryHeader = 88

/**
 * Signs a Mach-O executable ad hoc, in place of the signature at its end: macOS kills a process whose signature
 * does not match its bytes. Throws when the file has none to replace.
 */
export async function signMacos(path: string): Promise<void> {
  await writeFile(path, signed(await readFile(path)))
}

// --- internal ---

function signed(file: Buffer): Buffer {
  const commands = [...loadCommands(file)]
  const segment = (name: string) =>
    commands.find(
      ({ type, at }) =>
        type === segmentCommand && file.toString('latin1', at + 8, at + 24).startsWith(`${name}\0`),
    )
  const signature = commands.find(({ type }) => type === codeSignatureCommand)
  const [text, linkEdit] = [segment('__TEXT'), segment('__LINKEDIT')]
  if (!signature || !text || !linkEdit) throw new Error('this is no signed Mach-O executable')

  const codeLimit = file.readUInt32LE(signature.at + 8)
  const identifier = Buffer.from('lambda-nat-proxy\0')
  const pages = Math.ceil(codeLimit / pageSize)
  const hashOffset = codeDirectoryHeader + identifier.length
  const size = superBlobHeader + hashOffset + pages * 32

  // The signature is the last thing in the last segment; the commands that say so are signed themselves.
  const segmentSize = codeLimit + size - Number(file.readBigUInt64LE(linkEdit.at + 40))
  file.writeUInt32LE(size, signature.at + 12)
  file.writeBigUInt64LE(BigInt(Math.ceil(segmentSize / pageSize) * pageSize), linkEdit.at + 32)
  file.writeBigUInt64LE(BigInt(segmentSize), linkEdit.at + 48)

  const blob = Buffer.alloc(size)
  write32(blob, 0, [0xfade0cc0, size, 1, 0, superBlobHeader])
  const directory = blob.subarray(superBlobHeader)
  const [version, adHocByLinker] = [0x20400, 0x20002]
  write32(directory, 0, [
    0xfade0c02,
    directory.length,
    version,
    adHocByLinker,
    hashOffset,
    codeDirectoryHeader,
  ])
  write32(directory, 24, [0, pages, codeLimit])
  const [hashSize, sha256] = [32, 2]
  directory.set([hashSize, sha256, 0, pageBits], 36)
  const mainBinary = 1n
  directory.writeBigUInt64BE(file.readBigUInt64LE(text.at + 40), 64)
  directory.writeBigUInt64BE(file.readBigUInt64LE(text.at + 48), 72)
  directory.writeBigUInt64BE(mainBinary, 80)
  directory.set(identifier, codeDirectoryHeader)
  for (let page = 0; page < pages; page++) {
    const bytes = file.subarray(page * pageSize, Math.min((page + 1) * pageSize, codeLimit))
    directory.set(createHash('sha256').update(bytes).digest(), hashOffset + page * hashSize)
  }
  return Buffer.concat([file.subarray(0, codeLimit), blob])
}

function* loadCommands(file: Buffer): Generator<{ type: number; at: number }> {
  if (file.length < 32 || file.readUInt32LE(0) !== 0xfeedfacf) return
  for (let at = 32, left = file.readUInt32LE(16); left > 0; left--, at += file.readUInt32LE(at + 4))
    yield { type: file.readUInt32LE(at), at }
}

function write32(to: Buffer, at: number, values: readonly number[]): void {
  for (const [i, value] of values.entries()) to.writeUInt32BE(value, at + i * 4)
}
