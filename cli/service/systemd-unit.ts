import { type ServicePlan, serviceName } from './manager.ts'

/** The first line of every definition that this program writes: it replaces and removes no other. */
export const unitMark = `# Written by "${serviceName} service install".`

/** A systemd unit for this plan. */
export function systemdUnit(plan: ServicePlan): string {
  const isSystem = plan.scope === 'system'
  const sections: [name: string, lines: string[]][] = [
    [
      'Unit',
      [
        `Description=${serviceName}, a proxy with exits in AWS Lambda`,
        ...(isSystem ? ['Wants=network-online.target', 'After=network-online.target nss-lookup.target'] : []),
        // It comes up again for as long as it takes, at RestartSec's pace.
        'StartLimitIntervalSec=0',
      ],
    ],
    [
      'Service',
      [
        'Type=notify',
        'NotifyAccess=main',
        `ExecStart=${plan.command.map(quoted).join(' ')}`,
        'ExecReload=/bin/kill -HUP $MAINPID',
        'Restart=on-failure',
        'RestartSec=15',
        '# Wrong settings do not get right by trying again.',
        'RestartPreventExitStatus=2',
        'TimeoutStartSec=90',
        'TimeoutStopSec=10',
        'WatchdogSec=60',
        'LimitNOFILE=65536',
        `Environment=LAMBDA_NAT_PROXY_SERVICE=systemd`,
        ...(isSystem ? systemAccount(plan) : [`EnvironmentFile=-%E/${serviceName}/environment`]),
        ...hardening,
        ...(isSystem ? systemHardening : []),
      ],
    ],
    ['Install', [`WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}`]],
  ]
  const text = sections.map(([name, lines]) => [`[${name}]`, ...lines].join('\n')).join('\n\n')
  return `${unitMark}\n\n${text}\n`
}

// --- internal ---

/** Seccomp's: a user's manager can do these, too. Not MemoryDenyWriteExecute: the runtime compiles as it goes. */
const hardening = [
  'NoNewPrivileges=yes',
  'UMask=0077',
  'LockPersonality=yes',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  'SystemCallFilter=~@privileged @resources',
  'SystemCallErrorNumber=EPERM',
]

const systemHardening = [
  'CapabilityBoundingSet=',
  'AmbientCapabilities=',
  'DevicePolicy=closed',
  'KeyringMode=private',
  'PrivateDevices=yes',
  'PrivateTmp=yes',
  'PrivateUsers=yes',
  'ProcSubset=pid',
  'ProtectClock=yes',
  'ProtectControlGroups=yes',
  'ProtectHome=yes',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'ProtectProc=invisible',
  'ProtectSystem=strict',
  'RemoveIPC=yes',
]

/** Its own account and folders; settings and credentials in /etc. */
const systemAccount = ({ runAs }: ServicePlan): string[] => [
  ...(runAs === undefined ? ['DynamicUser=yes', `User=${serviceName}`] : [`User=${runAs}`]),
  `RuntimeDirectory=${serviceName}`,
  'RuntimeDirectoryMode=0700',
  `StateDirectory=${serviceName}`,
  'StateDirectoryMode=0700',
  `CacheDirectory=${serviceName}`,
  'CacheDirectoryMode=0700',
  `Environment=HOME=%S/${serviceName} XDG_STATE_HOME=%S XDG_CACHE_HOME=%C XDG_RUNTIME_DIR=%t XDG_CONFIG_HOME=%E`,
  `EnvironmentFile=-%E/${serviceName}/environment`,
]

/** An argument of ExecStart (systemd.service(5), "Command lines" and "Quoting"; systemd.unit(5), "Specifiers"). */
function quoted(argument: string): string {
  const escaped = argument
    .replace(/[\\"]/g, '\\$&')
    // A line's end would begin another setting.
    .replace(/\p{Cc}/gu, each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
  return /^[\w@.,:/+=-]+$/.test(argument) ? escaped : `"${escaped}"`
}
