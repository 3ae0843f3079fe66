// What each kind of NAT is made of, in nftables. Kinds are named as RFC 3489, section 5 does; in RFC 4787's terms
// the cones map independently of the endpoint and differ in what they let in, a symmetric NAT maps anew for
// each address and port.

export const natKinds = ['none', 'full-cone', 'address-restricted', 'port-restricted', 'symmetric'] as const

/** `none` is a host with a public address of its own and no filter. */
export type NatKind = (typeof natKinds)[number]

/**
 * The ruleset of a NAT with one host inside, between the interfaces `lan` and `wan`. The cones keep the host's
 * port but for the bits in `shift` (0 to 1023), which tell one binding of the NAT from the next.
 */
export function natRules(kind: NatKind, host: string, shift: number): string {
  if (kind === 'none') return 'flush ruleset\n'
  const letIn = filters[kind]
  return `flush ruleset
    table ip nat {
      ${letIn ? `set open { type ${letIn.type}; flags dynamic,timeout; timeout 120s; }` : ''}
      chain inbound {
        type nat hook prerouting priority dstnat;
        ${letIn ? `iifname wan ${letIn.received} @open dnat to ${host} : udp dport ^ ${shift}` : ''}
      }
      chain outbound {
        type nat hook postrouting priority srcnat;
        oifname wan ${kind === 'symmetric' ? 'masquerade random,fully-random' : `meta l4proto udp masquerade to : udp sport ^ ${shift}`}
        oifname wan masquerade
      }
      chain remember {
        type filter hook postrouting priority srcnat + 1;
        ${letIn ? `oifname wan update @open { ${letIn.sent} }` : ''}
      }
      # A router at home says nothing to what nobody asked for. One that answered would also keep a conntrack
      # entry of it, which takes the port that the host's own mapping needs: an early probe would spoil the punch.
      chain refuse {
        type filter hook input priority filter;
        iifname wan ct state new drop
      }
    }
  `
}

// --- internal ---

interface Filter {
  type: string
  /** What an outgoing datagram opens, seen after its translation. */
  sent: string
  /** What an incoming one must match. */
  received: string
}

/** What the NAT lets in beyond the answers of those the host has sent to, which is all that conntrack does. */
const filters: Partial<Record<NatKind, Filter>> = {
  'full-cone': { type: 'inet_service', sent: 'udp sport', received: 'udp dport' },
  'address-restricted': {
    type: 'inet_service . ipv4_addr',
    sent: 'udp sport . ip daddr',
    received: 'udp dport . ip saddr',
  },
}
