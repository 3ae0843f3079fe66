import { type Answer, newSessionId, type Offer, signalVersion } from '../../tunnel/signalling/documents.ts'

const side = () => ({
  version: signalVersion as 1,
  session_id: newSessionId(),
  timestamp: Date.now(),
  mapping: 'endpoint-independent' as const,
  ice_ufrag: 'abcdefgh',
  ice_password: 'abcdefghijklmnopqrstuvwx',
  certificate_sha256: 'ab'.repeat(32),
})

/** An offer that is in order, but for what is given in place. */
export const anOffer = (fields: Partial<Offer> = {}): Offer => ({
  ...side(),
  client_ip: '192.0.2.1',
  client_port: 50_000,
  candidates: [{ type: 'srflx', address: '192.0.2.1', port: 50_000 }],
  ...fields,
})

/** An answer that is in order, but for what is given in place. */
export const anAnswer = (fields: Partial<Answer> = {}): Answer => ({
  ...side(),
  function_ip: '198.51.100.1',
  function_port: 40_000,
  candidates: [{ type: 'srflx', address: '198.51.100.1', port: 40_000 }],
  started_at: Date.now(),
  cold: true,
  guessed: false,
  local_port: 40_000,
  stun_views: [],
  ...fields,
})
