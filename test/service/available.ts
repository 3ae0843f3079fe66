import { spawnSync } from 'node:child_process'
import { need } from '../support/need.ts'

/** What systemd needs of the kernel: namespaces, mounts, and a control group to make others in. */
const trial = `
mount --make-rprivate / && mount -t proc proc /proc && mount -t tmpfs tmpfs /run || exit 1
for group in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
  [ -e $group/cgroup.procs ] && mkdir $group/trial-$$ && rmdir $group/trial-$$ && exit 0
done
echo 'no control group can be made' >&2
exit 1`

/** True when systemd can be run here as a machine of its own. Where it cannot, says so loudly; nothing can be installed against that. */
export function machineAvailable(): boolean {
  if (process.getuid?.() !== 0) return leftOut('it needs root, to make namespaces')
  if (!need(['systemd'], ['systemctl', 'systemd-analyze'])) return false
  if (!need(['util-linux'], ['unshare', 'nsenter', 'setpriv'])) return false
  const own = ['--mount', '--pid', '--ipc', '--uts', '--cgroup', '--fork']
  const { status, stderr } = spawnSync('unshare', [...own, 'sh', '-c', trial], { encoding: 'utf8' })
  return status === 0 || leftOut(`this kernel, or container, permits it none: ${stderr.trim()}`)
}

// --- internal ---

function leftOut(why: string): false {
  console.error(`\n*** LEFT OUT: ${process.argv[1]}: systemd cannot run here: ${why}\n`)
  return false
}
