#!/bin/sh
# enter-root.sh LOWER UPPER WORK ROOT ARCHIVES COMMAND...
# Runs COMMAND with a root file system under construction mounted at ROOT. Called in mount and process namespaces of its own:
# whatever is mounted here is gone when the last process in them is, also when that was killed.
set -eu
lower=$1 upper=$2 work=$3 root=$4 archives=$5
shift 5

# Everything that is not in LOWER shall lie whole in UPPER, hence none of overlayfs's shortcuts.
mount -t overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$work,redirect_dir=off,metacopy=off,index=off" overlay "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for device in null zero full random urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mkdir -m 1777 "$root/dev/shm"
mkdir -p "$archives/partial" "$root/tmp/archives"
mount --bind "$archives" "$root/tmp/archives"

exec "$@"
