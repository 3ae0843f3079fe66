import { createHash } from 'node:crypto'
import { version } from '../../../package.json'
import type { Component } from './component.ts'

// CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/

/** The bill of materials of a release: what it is made of, as one JSON document. The same release gives the same. */
export function sbom(components: readonly Component[], date: Date): string {
  const own = { purl: `pkg:npm/lambda-nat-proxy@${version}`, name: 'lambda-nat-proxy', version }
  const needed = new Set(components.flatMap(({ needs }) => needs))
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: date.toISOString(),
      component: { type: 'application', 'bom-ref': own.purl, ...own, licenses: [{ license: { id: 'MIT' } }] },
    },
    components: components.map(asComponent),
    dependencies: [
      // What nobody else needs, the program does.
      {
        ref: own.purl,
        dependsOn: components.map(({ purl }) => purl).filter(purl => !needed.has(purl)),
      },
      ...components.map(({ purl, needs }) => ({ ref: purl, dependsOn: [...new Set(needs)] })),
    ],
  }
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(document))}`
  return `${JSON.stringify({ $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json', serialNumber, ...document }, null, 2)}\n`
}

// --- internal ---

const asComponent = ({ purl, name, version, description, licence, hash, homepage }: Component) => ({
  type: 'library',
  'bom-ref': purl,
  name,
  version,
  ...(description && { description }),
  ...(hash && { hashes: [hash] }),
  licenses: [/ (OR|AND|WITH) /.test(licence) ? { expression: licence } : { license: { id: licence } }],
  purl,
  ...(homepage && { externalReferences: [{ type: 'website', url: homepage }] }),
})

/** A UUID of version 8 (RFC 9562, section 5.8): of the content, so that it is the same for the same release. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
