#!/bin/bash
# Tests against programs of the system: b3sum, OpenSSH, strace, tmux, time, and file systems whose power is cut, or that fold letter case.
# As root on Debian, those that are missing are installed first; else the tests that need them are skipped by name.
# The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1

# Program and the Debian package it is in.
needs='ssh:openssh-client sshd:openssh-server b3sum:b3sum strace:strace tmux:tmux time:time mkfs.ext4:e2fsprogs xfs_io:xfsprogs groff:groff mandoc:mandoc man:man-db zsh:zsh fish:fish systemd-analyze:systemd systemd-notify:systemd python3:python3-minimal setpriv:util-linux mkntfs:ntfs-3g mkfs.exfat:exfatprogs mount.exfat-fuse:exfat-fuse'
# sshd lives in /usr/sbin, which is not in everybody's path.
export PATH="$PATH:/usr/sbin:/sbin"

# Of the file system, not of the shell: `time` is a word of bash as well.
missing() {
  for need in $needs; do
    [ -n "$(type -P "${need%%:*}")" ] || echo "${need##*:}"
  done | sort -u
}

packages=$(missing)
if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && [ -n "$(type -P apt-get)" ]; then
  export DEBIAN_FRONTEND=noninteractive
  # RUNLEVEL=1 keeps the packages from starting services: the tests start their own, on free ports.
  apt-get update -qq >/dev/null &&
    RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $packages >/dev/null ||
    echo "apt-get could not install: $(echo $packages)"
fi
for package in $(missing); do
  echo "skipped: tests that need $package, which is not installed"
done

exec node scripts/test.mjs --config vitest.system.config.ts "$@"
