import type { NatKind } from '../../tunnel/nat/nat-kind.ts'

/** What to call each, and what it means here. */
export const natNames: Record<NatKind, { name: string; verdict: string }> = {
  none: { name: 'no NAT', verdict: 'exits can be reached' },
  firewall: { name: 'no NAT, but a firewall that lets in answers only', verdict: 'exits can be reached' },
  'full-cone': { name: 'full-cone NAT', verdict: 'exits can be reached' },
  'address-restricted': { name: 'address-restricted cone NAT', verdict: 'exits can be reached' },
  'port-restricted': { name: 'port-restricted cone NAT', verdict: 'exits can be reached' },
  cone: { name: 'cone NAT, its filter not known', verdict: 'exits can be reached' },
  symmetric: {
    name: 'symmetric NAT, another port for each destination',
    verdict: 'an exit is reached only by trying many ports, if at all',
  },
  unknown: { name: 'a NAT of a kind that could not be found out', verdict: 'trying it will tell' },
}
