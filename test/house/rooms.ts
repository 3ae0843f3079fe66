/**
 * The rooms of the tree and what each may import. A file belongs to the room with the longest prefix. Imports run
 * down: a room names every room below that it may use, and nothing else.
 */
export const rooms: Record<string, readonly string[]> = {
  // What both ends share: each room may use those below it.
  'tunnel/net': [],
  'tunnel/nat': ['tunnel/net'],
  'tunnel/quic': ['tunnel/nat', 'tunnel/net', 'native/engine'],
  'tunnel/signalling': ['tunnel/quic', 'tunnel/nat', 'tunnel/net'],
  'tunnel/session': ['tunnel/signalling', 'tunnel/quic', 'tunnel/nat', 'tunnel/net'],

  // The exit.
  function: ['tunnel'],
  'function/build.ts': ['native', 'function'],

  // The client's executable, from its lowest floor up.
  'cli/input': ['tunnel'],
  'cli/client/stats': ['tunnel', 'cli/input'],
  'cli/client/fleet': ['tunnel', 'cli/input', 'cli/client/stats'],
  'cli/client/outbound': ['tunnel', 'cli/input', 'cli/client/stats', 'cli/client/fleet'],
  'cli/client/inbound': [
    'tunnel',
    'cli/input',
    'cli/client/stats',
    'cli/client/fleet',
    'cli/client/outbound',
  ],
  'cli/client': ['tunnel', 'cli/input', 'cli/client'],
  'cli/dashboard': ['tunnel', 'cli/input', 'cli/client'],
  'cli/config': ['tunnel', 'cli/input', 'cli/client', 'function/modes.ts'],
  'cli/cloud': ['tunnel', 'cli/input', 'cli/config', 'function/modes.ts'],
  'cli/deploy': [
    'tunnel',
    'cli/input',
    'cli/client',
    'cli/config',
    'cli/cloud',
    'function/build.ts',
    'function/modes.ts',
  ],
  'cli/output': ['tunnel', 'cli/input', 'cli/client', 'cli/cloud'],
  'cli/doctor': ['tunnel', 'cli/input', 'cli/client', 'cli/config', 'cli/deploy'],
  'cli/commands': ['cli', 'tunnel', 'function/modes.ts'],
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
