/**
 * The rooms of the tree and what each may import. A file belongs to the room with the longest prefix. Imports run
 * down: a room names every room below that it may use, and nothing else.
 */
export const rooms: Record<string, readonly string[]> = {
  // What both ends share: each room may use those below it.
  'tunnel/net': [],
  'tunnel/nat': ['tunnel/net'],
  'tunnel/quic': ['tunnel/net', 'native/engine'],
  'tunnel/signalling': ['tunnel/quic', 'tunnel/nat', 'tunnel/net'],
  'tunnel/session': ['tunnel/signalling', 'tunnel/quic', 'tunnel/nat', 'tunnel/net'],

  // The exit.
  function: ['tunnel'],
  'function/build.ts': ['native', 'function', 'tunnel/net'],

  // The client's executable, from its lowest floor up.
  'cli/input': ['tunnel/net'],
  'cli/places': ['tunnel/net', 'cli/input'],
  'cli/client/stats': ['tunnel/session', 'tunnel/signalling', 'tunnel/net', 'cli/input'],
  'cli/client/accounts': ['tunnel/net', 'cli/input'],
  'cli/client/fleet': ['tunnel', 'cli/client/stats'],
  'cli/client/outbound': [
    'tunnel/session',
    'tunnel/quic',
    'tunnel/net',
    'cli/input',
    'cli/client/stats',
    'cli/client/fleet',
  ],
  'cli/client/inbound': [
    'tunnel/session',
    'tunnel/net',
    'cli/input',
    'cli/client/stats',
    'cli/client/accounts',
    'cli/client/fleet',
    'cli/client/outbound',
  ],
  'cli/client': ['tunnel/session', 'tunnel/quic', 'tunnel/net', 'cli/input', 'cli/client'],
  'cli/control': ['tunnel/net', 'cli/client/fleet', 'cli/client/stats'],
  'cli/dashboard': ['tunnel/signalling', 'tunnel/net', 'cli/input', 'cli/client/stats', 'cli/control'],
  'cli/config': [
    'tunnel/quic/engines/engines.ts',
    'tunnel/nat',
    'tunnel/net',
    'cli/input',
    'cli/places',
    'cli/client/fleet',
    'cli/client/outbound',
    'function/modes.ts',
  ],
  'cli/cloud': ['tunnel/signalling', 'tunnel/net', 'cli/input', 'cli/places', 'function/modes.ts'],
  'cli/deploy': [
    'tunnel/quic/engines/engines.ts',
    'tunnel/signalling',
    'tunnel/nat',
    'tunnel/net',
    'cli/input',
    'cli/places',
    'cli/client/fleet',
    'cli/config',
    'cli/cloud',
    'function/build.ts',
    'function/modes.ts',
  ],
  'cli/output': ['tunnel/net', 'cli/input', 'cli/client/stats'],
  'cli/doctor': [
    'tunnel/signalling',
    'tunnel/nat',
    'tunnel/net',
    'cli/input',
    'cli/client',
    'cli/config',
    'cli/deploy',
  ],
  'cli/commands': [
    'tunnel/quic',
    'tunnel/net',
    'cli/input',
    'cli/places',
    'cli/client',
    'cli/control',
    'cli/dashboard',
    'cli/config',
    'cli/cloud',
    'cli/deploy',
    'cli/output',
    'cli/doctor',
    'function/modes.ts',
  ],
  'cli/main.ts': ['cli/input', 'cli/config', 'cli/output', 'cli/commands'],

  // Builds are made of everything, and nothing is made of them.
  'cli/build': ['cli/deploy', 'function/build.ts', 'native'],
  native: [],
  cdktf: [
    'function/modes.ts',
    'function/settings.ts',
    'tunnel/nat/stun/server-name.ts',
    'tunnel/signalling/keys.ts',
  ],
}
