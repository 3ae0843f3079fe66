import type { NatKind } from '../../tunnel/nat/nat-kind.ts'

/** What to call each. */
export const natNames: Record<NatKind, string> = {
  none: 'no NAT',
  firewall: 'no NAT, but a firewall that lets in answers only',
  'full-cone': 'full-cone NAT',
  'address-restricted': 'address-restricted cone NAT',
  'port-restricted': 'port-restricted cone NAT',
  cone: 'cone NAT, its filter not known',
  symmetric: 'symmetric NAT, another port for each destination',
  unknown: 'a NAT of a kind that could not be found out',
}
