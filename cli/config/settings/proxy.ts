import type { PortMappingMode } from '../../../tunnel/nat/port-mapping/router.ts'
import { defaultStunServers } from '../../../tunnel/nat/stun/server-name.ts'
import { type PathMode, pathModes } from '../../../tunnel/nat/turn/source.ts'
import { parseDnsServer } from '../../../tunnel/net/dns-server.ts'
import { type EngineName, engineNames } from '../../../tunnel/quic/engines/engines.ts'
import { parseBypass, parseRules } from '../../client/outbound/rules.ts'
import { parseListener } from '../../input/listener-url.ts'
import * as schema from '../schema.ts'
import { setting } from './setting.ts'

/** Where `run` listens, and what goes where. */
export const proxySettings = {
  'proxy.host': setting<string>({
    schema: schema.text,
    kind: 'text',
    default: '127.0.0.1',
    flag: 'host',
    valueHint: 'address',
    about: 'Address to listen on',
  }),
  'proxy.port': setting<number>({
    schema: schema.port,
    kind: 'number',
    default: 1080,
    flag: 'port',
    short: 'p',
    valueHint: 'port',
    about: 'TCP port for SOCKS5 and HTTP, 0 for any free one',
  }),
  'proxy.stun_server': setting<string[]>({
    schema: schema.stunServers,
    kind: 'list',
    default: defaultStunServers,
    flag: 'stun',
    valueHint: 'host:port,…',
    about: 'STUN servers, separated by commas, tried in turn',
  }),
  'proxy.port_mapping': setting<PortMappingMode>({
    schema: schema.portMapping,
    kind: 'text',
    default: 'auto',
    flag: 'port-mapping',
    valueHint: 'auto|off',
    about: 'Ask the router by PCP, NAT-PMP or UPnP to open a port for each exit: auto or off',
  }),
  'proxy.turn': setting<string[]>({
    schema: schema.turnServers,
    kind: 'list',
    default: [],
    flag: 'turn',
    valueHint: 'turn:host:port,…',
    about:
      'TURN servers that relay where no direct path is found: turn:host:port, or turns:host:443 over TLS; with --turn-auth-file',
    example: ['turns:turn.example.com:443'],
  }),
  'proxy.turn_auth_file': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'turn-auth-file',
    valueHint: 'path',
    about: 'File with the credentials for the TURN servers: user:password, or secret=… shared with them',
    example: '/etc/lambda-nat-proxy/turn',
  }),
  'proxy.turn_ca': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'turn-ca',
    valueHint: 'path',
    about: "Certificates (PEM) to trust for TURN over TLS, besides the system's",
    example: '/etc/lambda-nat-proxy/turn-ca.pem',
  }),
  'proxy.path': setting<PathMode>({
    schema: schema.path,
    kind: 'text',
    default: 'auto',
    flag: 'path',
    valueHint: pathModes.join('|'),
    about:
      'How packets reach an exit: auto (by TURN where nothing direct is found), direct, or relay (by TURN alone)',
  }),
  'proxy.http_port': setting<number | undefined>({
    schema: schema.port,
    kind: 'number',
    default: undefined,
    flag: 'http-port',
    live: true,
    valueHint: 'port',
    about: 'A further TCP port, for HTTP alone',
    example: 8080,
  }),
  'proxy.listen': setting<string[]>({
    schema: schema.parsedBy(
      'must be a listener such as http://127.0.0.1:8080, or a list of them',
      parseListener,
    ),
    kind: 'list',
    default: [],
    flag: 'listen',
    live: true,
    valueHint: 'scheme://address:port,…',
    about:
      'Further listeners: mixed, socks5 or http, address and port; ?auth-file=path gives one logins of its own',
    example: ['socks5://127.0.0.1:1081', 'http://127.0.0.1:8080'],
  }),
  'proxy.auth_file': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'auth-file',
    live: true,
    valueHint: 'path',
    about: 'File of logins, which "login add" writes, or user:password lines; clients must then log in',
    example: '/etc/lambda-nat-proxy/logins.yaml',
  }),
  'proxy.allow_open': setting<boolean>({
    schema: schema.yesNo,
    kind: 'yesNo',
    default: false,
    flag: 'allow-open',
    live: true,
    valueHint: 'true',
    about: 'Let other machines use the proxy without a login',
  }),
  'proxy.bypass': setting<string[]>({
    schema: schema.parsedBy('must be a name or network, or a list of them', parseBypass),
    kind: 'list',
    default: [],
    flag: 'bypass',
    live: true,
    valueHint: '*.example.com,10.0.0.0/8',
    about: 'Names and networks to reach directly, without an exit',
    example: ['*.example.com', '10.0.0.0/8'],
  }),
  'proxy.rules': setting<string[]>({
    schema: schema.parsedBy('must be a rule such as "block *:25", or a list of them', rule =>
      parseRules([rule]),
    ),
    kind: 'rules',
    default: [],
    flag: 'rules',
    live: true,
    valueHint: 'block *:25;…',
    about: 'Rules "direct …", "tunnel …" and "block …" by name, network and port; the first match counts',
    example: ['block *:25', 'direct *.example.com,10.0.0.0/8'],
  }),
  'proxy.dns': setting<string | undefined>({
    schema: schema.oneParsedBy(parseDnsServer),
    kind: 'text',
    default: undefined,
    flag: 'dns',
    valueHint: 'address|https://…',
    about: 'DNS server or DNS-over-HTTPS URL that the exit resolves names with (default: its own resolver)',
    example: '1.1.1.1',
  }),
  'proxy.optimistic': setting<boolean>({
    schema: schema.yesNo,
    kind: 'yesNo',
    default: false,
    flag: 'optimistic',
    live: true,
    valueHint: 'true',
    about:
      'Tell applications that they are connected before the exit has reached the target: saves a round trip, and a refusal is then a broken connection',
  }),
  'proxy.engine': setting<EngineName | 'auto'>({
    schema: schema.engine,
    kind: 'text',
    default: 'auto',
    flag: 'engine',
    valueHint: 'name',
    about: `What runs QUIC at this end: auto, ${engineNames.join(', ')}; auto takes the native engine where it was built`,
  }),
} as const
