# Sourced by scripts/acceptance: a Debian system on a disk of its own, under QEMU. Besides the system without mld its kernel is kept,
# and what starts it.

run_tier() {
    need_packages qemu-system-x86 qemu-utils mmdebstrap busybox-static e2fsprogs cpio kmod dpkg-dev
    make_image
    boot
}

make_image() {
    local kernel tree version
    image=$(cached_system make_image make_initramfs enable_checks)
    [ ! -e "$image/complete" ] || return 0
    echo "making a Debian system: minutes, once"
    rm -rf "$image"
    mkdir -p "$image"
    tree=$work/tree
    make_tree "$tree"
    kernel=$(apt-cache depends linux-image-cloud-amd64 \
        | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\).*/\1/p' | head -1)
    (cd "$work" && apt-get -qq download "$kernel" && dpkg -x "$kernel"_*.deb kernel)
    version=$(ls "$work/kernel/lib/modules")
    cp "$work/kernel/boot/vmlinuz-$version" "$image/vmlinuz"
    depmod -b "$work/kernel" "$version"
    make_initramfs "$version"

    enable_checks "$tree"
    mke2fs -q -t ext4 -O ^has_journal -m0 -L root -d "$tree" "$image/root.ext4" $(($(du -sm "$tree" | cut -f1) * 12 / 10 + 800))M >/dev/null
    rm -rf "$tree" "$work/kernel"
    touch "$image/complete"
}

# Just what finds the disk: everything else is in the kernel.
make_initramfs() {
    local module tree=$work/initramfs
    mkdir -p "$tree"/{bin,dev,proc,sys,new,modules}
    cp /bin/busybox "$tree/bin/"
    for module in virtio_pci virtio_blk ext4; do
        modprobe -S "$1" -d "$work/kernel" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
    done | awk '!seen[$0]++' | while read -r module; do
        cp "$module" "$tree/modules/"
        basename "$module" >>"$tree/modules/order"
    done
    cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs none /dev; $b mount -t proc none /proc; $b mount -t sysfs none /sys
for module in $($b cat /modules/order); do $b insmod /modules/$module; done
until [ -b /dev/vda ]; do $b usleep 50000; done
$b mount -t ext4 -o rw /dev/vda /new
$b mount --move /dev /new/dev; $b umount /proc /sys
exec $b switch_root /new /lib/systemd/systemd
INIT
    chmod +x "$tree/init"
    (cd "$tree" && find . | cpio -o -H newc --quiet) >"$image/initramfs"
}

# The system runs the checks from the second disk whenever it has started, and says on the second serial line what came out.
enable_checks() {
    local tree=$1
    mkdir -p "$tree/checks" "$tree/etc/systemd/system/multi-user.target.wants"
    # Of no use here, and slow.
    mask "$tree" systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket systemd-udevd-control.socket \
        systemd-pstore.service getty@tty1.service serial-getty@ttyS0.service
    cat >"$tree/etc/systemd/system/acceptance.service" <<'UNIT'
[Unit]
Description=What mld is tried with

[Service]
Type=exec
ExecStartPre=/bin/mount -o ro /dev/vdb /checks
ExecStart=/bin/bash /checks/run
StandardOutput=file:/dev/ttyS1
StandardError=inherit
TimeoutStartSec=infinity
TimeoutStopSec=20
UNIT
    ln -s ../acceptance.service "$tree/etc/systemd/system/multi-user.target.wants/"
}

boot() {
    local out=$work/output serial=$work/serial tail status=0
    gather_checks run
    mke2fs -q -t ext4 -O ^has_journal -m0 -d "$work/checks" "$work/checks.ext4" $(($(du -sm "$work/checks" | cut -f1) * 12 / 10 + 16))M >/dev/null
    qemu-img create -q -f qcow2 -F raw -b "$image/root.ext4" "$work/root.qcow2"
    : >"$out"

    # As many processors as twenty jobs need, in one thread of ours: what a limit to one of them does is seen, and nobody else
    # is pressed. KVM would make it a measurement on some machines and another on others.
    timeout "${MLD_ACCEPTANCE_TIMEOUT:-60m}" qemu-system-x86_64 -M q35 -accel tcg,thread=single,tb-size=512 -cpu max -smp 24 -m 2048 \
        -nodefaults -no-user-config -display none \
        -kernel "$image/vmlinuz" -initrd "$image/initramfs" \
        -append "console=ttyS0 panic=-1 mitigations=off tsc=reliable random.trust_cpu=on net.ifnames=0 quiet loglevel=4" \
        -drive "file=$work/root.qcow2,format=qcow2,if=none,id=root,cache=unsafe" -device virtio-blk-pci,drive=root \
        -drive "file=$work/checks.ext4,format=raw,if=none,id=checks,readonly=on" -device virtio-blk-pci,drive=checks \
        -chardev "file,id=console,path=$serial" -serial chardev:console \
        -chardev "file,id=output,path=$out" -serial chardev:output &
    machine=$!
    trap '[ -z "${machine:-}" ] || kill "$machine" 2>/dev/null || true; rm -rf "$work"' EXIT
    tail -n +1 -f --pid="$machine" "$out" | sed -u 's|\r$||' &
    tail=$!
    wait "$machine" || status=$?
    wait "$tail" || true
    # This system has all that the checks need, so none may be left out.
    if [ "$status" -ne 0 ] || ! grep -q '^checks: [0-9]* passed, 0 failed, 0 skipped' "$out"; then
        grep -q '^checks:' "$out" || { echo "the system did not come to an end (status $status); its last words:"; tail -15 "$serial"; }
        return 1
    fi
}
