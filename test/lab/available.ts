import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { need } from '../support/need.ts'
import { natRules } from './nat.ts'

/**
 * True when this machine can hold a lab: root, and a kernel that lets us make namespaces and NATs. Where it
 * cannot, says so loudly; nothing can be installed against that.
 */
export function labAvailable(): boolean {
  if (process.getuid?.() !== 0) return leftOut('it needs root, to make network namespaces')
  if (!need(['iproute2', 'nftables', 'conntrack'], ['ip', 'nft', 'conntrack'])) return false
  const trial = ['--net', '--mount', 'sh', '-c', 'mount -t sysfs lab /sys && nft -f -']
  const { status, stderr } = spawnSync('unshare', trial, {
    input: natRules('address-restricted', '192.0.2.2', 1),
    encoding: 'utf8',
  })
  return (
    status === 0 ||
    leftOut(`this kernel, or container, permits no NAT in a network namespace: ${stderr.trim()}`)
  )
}

/** True when programs may make TUN devices. Where they may not, says so loudly. */
export function tunAvailable(): boolean {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'))
    return true
  } catch (error) {
    return leftOut(`no TUN device can be made: ${(error as Error).message}`)
  }
}

// --- internal ---

function leftOut(why: string): false {
  console.error(`\n*** LEFT OUT: ${process.argv[1]}: the NAT lab, or a part of it, cannot run here: ${why}\n`)
  return false
}
