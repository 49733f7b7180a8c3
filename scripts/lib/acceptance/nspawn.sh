# Sourced by scripts/acceptance: a Debian system in a container of systemd-nspawn, with a systemd of its own as process 1. It takes
# seconds and has no controllers of cgroup v2 where the machine has none, so limits are left to the virtual machine.
#
# Nothing of the system that is kept is changed: the container writes to a layer in memory that goes with it.

run_tier() {
    need_packages systemd-container mmdebstrap dpkg-dev
    make_system
    enter_system
}

make_system() {
    local made
    system=$(cached_system make_system)
    [ ! -e "$system" ] || return 0
    echo "making a Debian system: a minute, once"
    made=$system.new.$$
    mkdir -p "$(dirname "$system")"
    trap 'rm -rf "$made" "$work"' EXIT
    make_tree "$made"
    mask "$made" console-getty.service
    mv "$made" "$system"
    trap 'rm -rf "$work"' EXIT
}

# The hierarchy of cgroup v2: all of it, or beside version 1 a part of it without controllers.
find_hierarchy() {
    hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [ -n "$hierarchy" ] || { echo "this machine has no hierarchy of cgroup v2, without which systemd does not start" >&2; return 1; }
}

# Runs a command in the container as its root.
inside() {
    nsenter -t "$leader" -m -u -i -n -p -C -r -w env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        LC_ALL=C.UTF-8 "$@"
}

# Everything that is left is taken down again, whatever happened.
leave_system() {
    local round
    if [ -n "${leader:-}" ] && kill -0 "$leader" 2>/dev/null; then
        inside systemctl poweroff >/dev/null 2>&1 || kill -s RTMIN+4 "$leader" 2>/dev/null || true
    fi
    for round in $(seq 100); do
        kill -0 "$machine" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$machine" 2>/dev/null; then kill -KILL "$machine" "${leader:-$machine}" 2>/dev/null || true; fi
    wait "$machine" 2>/dev/null || true
    # Control groups go from the leaves up; a process leaves its own a moment after its end.
    for round in $(seq 50); do
        find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
        [ -d "$group" ] || break
        sleep 0.1
    done
    [ ! -d "$group" ] || echo "$group could not be removed" >&2
    rm -rf "$work"
}

enter_system() {
    local state=starting status=0 round
    find_hierarchy
    group=$hierarchy/mld-acceptance-$$
    mkdir "$group"
    gather_checks run-inside

    # In a control group of its own, which it may divide; in a mount namespace of its own, so that no mount of it is left. Every
    # capability, as on a machine: what mld's units take away is theirs to take.
    (
        echo "$BASHPID" >"$group/cgroup.procs"
        exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 unshare -m --propagation private systemd-nspawn --quiet \
            --directory="$system" --volatile=overlay --bind-ro="$work/checks:/checks" --machine="mld-acceptance-$$" \
            --register=no --keep-unit --private-network --resolv-conf=off --timezone=off --link-journal=no \
            --capability=all --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self bpf perf_event_open" \
            --kill-signal=SIGRTMIN+3 --boot --console=pipe systemd.unit=multi-user.target \
            </dev/null >"$work/console" 2>&1
    ) &
    machine=$!
    leader=
    trap leave_system EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    for round in $(seq 300); do
        leader=$(head -n 1 "$group/payload/init.scope/cgroup.procs" 2>/dev/null || true)
        [ -z "$leader" ] || break
        kill -0 "$machine" 2>/dev/null || break
        sleep 0.1
    done
    if [ -z "$leader" ]; then
        echo "the system did not start; its last words:" >&2
        tail -n 15 "$work/console" >&2
        return 1
    fi
    for round in $(seq 300); do
        state=$(inside systemctl is-system-running 2>/dev/null || true)
        case "$state" in running | degraded) break ;; esac
        sleep 0.1
    done
    inside bash /checks/run || status=$?
    return "$status"
}
