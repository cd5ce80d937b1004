#!/bin/bash
# The programs that the benchmark compares Wherry with, and those it needs for links between two namespaces.
# As root on Debian, those that are missing are installed; else they are named. The benchmark runs without them too, and
# says which comparisons it left out.
set -u

# Program and the Debian package it is in.
needs='ssh:openssh-client sshd:openssh-server rsync:rsync rclone:rclone lftp:lftp curl:curl nginx:nginx-light openssl:openssl ip:iproute2 tc:iproute2 python3:python3-minimal'
# Servers live in /usr/sbin, which is not in everybody's path.
export PATH="$PATH:/usr/sbin:/sbin"

missing() {
  for need in $needs; do
    [ -n "$(type -P "${need%%:*}")" ] || echo "${need##*:}"
  done | sort -u
}

packages=$(missing)
if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && [ -n "$(type -P apt-get)" ]; then
  export DEBIAN_FRONTEND=noninteractive
  # RUNLEVEL=1 keeps the packages from starting services: the benchmark starts its own, on free ports.
  apt-get update -qq >/dev/null &&
    RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $packages >/dev/null ||
    echo "apt-get could not install: $(echo $packages)"
fi
packages=$(missing)
[ -z "$packages" ] && echo 'everything is here' && exit 0
echo "missing: $(echo $packages)"
exit 1
