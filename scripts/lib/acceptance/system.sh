# Sourced by scripts/acceptance: what both tiers make their system of. What takes long to make is kept in MLD_ACCEPTANCE_CACHE
# (~/.cache/mld-acceptance): the system without mld.

suite=bookworm

# A system that boots, what the checks use, and what the packages in $work/first need of Debian.
packages_of_system() {
    local deb
    printf '%s\n' systemd systemd-sysv dbus bash-completion procps python3 adduser man-db
    for deb in "$work"/first/*.deb; do dpkg-deb -f "$deb" Depends; done \
        | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' | grep -v '^mltrain$\|^mld$' | sort -u
}

# cached_system FUNCTION... is where to keep what those functions make: another place for other packages, or another way of making it.
cached_system() {
    local key
    key=$({ echo "$suite"; packages_of_system; declare -f make_tree mask "$@"; } | sha256sum | cut -c1-16)
    echo "${MLD_ACCEPTANCE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mld-acceptance}/$suite-$tier-$key"
}

make_tree() {
    local tree=$1 packages
    mapfile -t packages < <(packages_of_system)
    mmdebstrap --quiet --variant=minbase --mode=root --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt=force-unsafe-io --include="$(IFS=,; echo "${packages[*]}")" "$suite" "$tree"
    # What mmdebstrap told dpkg was for making it.
    rm -f "$tree"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
    echo acceptance >"$tree/etc/hostname"
    : >"$tree/etc/machine-id"
    # Of no use here, and slow.
    mask "$tree" apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer man-db.timer e2scrub_all.timer \
        e2scrub_reap.service fstrim.timer systemd-timesyncd.service systemd-networkd.service
}

# mask TREE UNIT...
mask() { local unit; for unit in "${@:2}"; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done; }

# gather_checks RUN: what the system is given, in $work/checks.
gather_checks() {
    mkdir "$work/checks"
    cp -r "$work/first" "$work/next" scripts/lib/acceptance/checks scripts/lib/acceptance/fake-powercap "$work/checks/"
    cp "scripts/lib/acceptance/$1" "$work/checks/run"
}
