#!/bin/busybox sh
# The first process of a guest: file systems, modules, then the tests, one after the other.
/bin/busybox --install -s /bin
# The real `ip` comes before busybox's.
export PATH=/usr/bin:/bin HOME=/ CI=1
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /run
for module in llc stp bridge veth; do
    insmod "/modules/$module.ko" || echo "guest: no module $module"
done
ip link set lo up
for test in verdict kernel attach adopt; do
    echo "guest: begin $test"
    "/tests/$test" --test-threads=1 --show-output
    echo "guest: end $test $?"
done
echo "guest: done"
reboot -f
