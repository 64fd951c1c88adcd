#!/bin/busybox sh
# The first process of a guest: file systems, modules, then the tests, one after the other.
/bin/busybox --install -s /bin
# The real `ip` comes before busybox's.
export PATH=/usr/bin:/bin HOME=/ CI=1 WARDTAP_TEST_PATIENCE=10
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /run
for module in llc stp bridge veth; do
    insmod "/modules/$module.ko" || echo "guest: no module $module"
done
ip link set lo up
# Loading a program takes seconds here: of the tests of files the one that tells.
run() {
    test=$1
    shift
    echo "guest: begin $test"
    "/tests/$test" --test-threads=1 --show-output "$@"
    echo "guest: end $test $?"
}
run verdict --exact every_frame_passes
run kernel
run attach --exact a_large_mtu_falls_back_and_says_why
echo "guest: done"
reboot -f
