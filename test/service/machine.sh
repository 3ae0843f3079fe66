# PID 1 of a machine of its own: real systemd over this machine's files, with its own /run, /etc, /var and units.
set -eu
folder=$1 runtime=$2 source=$3
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /opt
mkdir -p /run/lock /opt/program/source "$folder/units" "$folder/var/log" "$folder/var/lib" "$folder/var/cache" "$folder/var/tmp"
mkdir -m 700 "$folder/var/lib/private"
cp "$runtime" /opt/program/bun
mount --bind "$source" /opt/program/source
for part in log lib cache tmp; do mount --bind "$folder/var/$part" "/var/$part"; done
cp -a /etc "$folder/etc"
rm -rf "$folder/etc/systemd"
mount --bind "$folder/etc" /etc
mkdir -p /etc/systemd/system

unit() { printf '%s\n' "$2" > "$folder/units/$1"; }
for target in sysinit basic sockets timers paths shutdown network network-online nss-lookup umount final; do
  unit "$target.target" "[Unit]
Description=$target
DefaultDependencies=no"
done
unit multi-user.target '[Unit]
Description=The machine
DefaultDependencies=no
Requires=basic.target
Wants=systemd-journald.service
After=basic.target'
for known in systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket exit.target systemd-exit.service; do
  cp "/lib/systemd/system/$known" "$folder/units/"
done
# What logind would do for a user who lingers.
unit 'manager@.service' '[Unit]
Description=Manager of user %i
[Service]
User=%i
Type=notify
Delegate=pids memory
RuntimeDirectory=user/%i
RuntimeDirectoryMode=0700
Environment=XDG_RUNTIME_DIR=/run/user/%i HOME=/run/user/%i/home
ExecStartPre=/bin/mkdir -p /run/user/%i/home
ExecStart=/lib/systemd/systemd --user'

exec env -i container=test LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  SYSTEMD_UNIT_PATH="/etc/systemd/system:$folder/units" \
  /lib/systemd/systemd --system --unit=multi-user.target --show-status=false
