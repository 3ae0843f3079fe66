import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIdentity, fingerprintOf } from '../../tunnel/quic/identity.ts'

const test = suite('identity')

test("the fingerprint is the SHA-256 of the certificate's DER", async () => {
  const { certificate, fingerprint } = await createIdentity()
  const { raw } = new X509Certificate(certificate)
  assert.is(fingerprint, createHash('sha256').update(raw).digest('hex'))
  assert.is(fingerprint, fingerprintOf(raw))
})

test('the key is P-256 and belongs to the certificate, which signs itself', async () => {
  const { key, certificate } = await createIdentity()
  const parsed = new X509Certificate(certificate)
  assert.ok(parsed.checkPrivateKey(createPrivateKey(Buffer.from(key))))
  assert.ok(parsed.verify(parsed.publicKey))
  assert.is(parsed.publicKey.asymmetricKeyType, 'ec')
  assert.is(parsed.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
})

test('it is valid for a clock that is half an hour off, either way', async () => {
  const { validFrom, validTo } = new X509Certificate((await createIdentity()).certificate)
  assert.ok(Date.parse(validFrom) < Date.now() - 1_800_000)
  assert.ok(Date.parse(validTo) > Date.now() + 1_800_000)
})

test('its dates are read back from 2050 on too, when they are written in another way', async () => {
  const { now } = Date
  try {
    for (const year of [2049, 2050, 2086]) {
      Date.now = () => Date.UTC(year, 11, 30, 12)
      const { validFrom, validTo } = new X509Certificate((await createIdentity()).certificate)
      assert.is(Date.parse(validFrom), Date.UTC(year, 11, 30, 11))
      assert.is(Date.parse(validTo), Date.UTC(year + 1, 0, 1, 12))
    }
  } finally {
    Date.now = now
  }
})

test('it is read back byte by byte, whatever lengths its numbers come to', async () => {
  // A signature has 70 to 72 bytes, less now and then.
  const identities = await Promise.all(Array.from({ length: 200 }, createIdentity))
  for (const { certificate, fingerprint } of identities) {
    const parsed = new X509Certificate(certificate)
    assert.is(parsed.toString(), certificate.toString())
    assert.is(parsed.fingerprint256.replaceAll(':', '').toLowerCase(), fingerprint)
    assert.is(parsed.subject, 'CN=lambda-nat-proxy')
    assert.is(parsed.issuer, parsed.subject)
    assert.match(parsed.serialNumber, /^[4-7][0-9A-F]{15}$/)
    assert.ok(parsed.verify(parsed.publicKey))
  }
})

test('no two are the same', async () => {
  const fingerprints = await Promise.all(Array.from({ length: 20 }, createIdentity))
  assert.is(new Set(fingerprints.map(({ fingerprint }) => fingerprint)).size, 20)
})

test.run()
