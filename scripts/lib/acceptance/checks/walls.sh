# Walls: what holds a job. What is hidden from it is tried where there is something to hide, among the accounts.

walls() {
    say "== walls"
    if grep -q memory /sys/fs/cgroup/cgroup.controllers && grep -q cpu /sys/fs/cgroup/cgroup.controllers; then
        check "jobs' control groups have every controller, and a job is told so" controllers
        check "a job that takes more than its memory is ended as out of memory, by its own limit" memory_limit
        check "a job of one CPU that keeps two busy gets one" cpu_limit
        check "a job of 16 processes gets no more" process_limit
    else
        skip "limits of memory, CPU time and processes" "this system has no such controllers"
    fi
    check "a job cannot reach another user's home" other_homes
    check "a job has no network it did not ask for" no_network
}

controllers() {
    local id said handed name
    id=$(command_job true | submit ada)
    mlctl wait "$id"
    said=$(mlctl show "$id")
    if grep -i 'not:\|no cgroup\|has no .* controller' <<<"$said"; then return 1; fi
    handed=" $(cat /sys/fs/cgroup/system.slice/mld*.service/jobs/cgroup.subtree_control) "
    for name in cpu memory pids; do has "$handed" " $name "; done
    echo "$handed"
}

# The job waits until its limit was looked at, and then takes what it gets.
memory_limit() {
    local id status=0 reason
    id=$(command_job "$(until_file 'end.$MLD_JOB_ID'); exec tail /dev/zero" | submit ada)
    within 120 in_state "$id" running
    same "$(cat "$(cgroup_of "$id")/memory.max")" $((64 << 20))
    let_end ada "$id"
    mlctl wait "$id" || status=$?
    same "$(field "$id" state)" out-of-memory
    # SIGKILL, from the kernel, and not because the machine had nothing left.
    same "$status" 137
    reason=$(field "$id" reason)
    [[ $reason =~ ^'killed: used '([0-9.]+)' of 64.0 MiB' ]] || { echo "$reason"; return 1; }
    number "32 < ${BASH_REMATCH[1]} < 64.5"
    echo "$reason"
}

# Two busy loops for some seconds: what their control group was given of the machine's two processors.
cpu_limit() {
    local id group used then throttled
    id=$(command_job 'while :; do :; done & while :; do :; done' 'resources.cpus = 1' | submit ada)
    within 120 in_state "$id" running
    group=$(cgroup_of "$id")
    sleep 3
    used=$(sed -n 's/^usage_usec //p' "$group/cpu.stat")
    then=$(date +%s%6N)
    sleep 10
    used=$(($(sed -n 's/^usage_usec //p' "$group/cpu.stat") - used))
    then=$(($(date +%s%6N) - then))
    throttled=$(sed -n 's/^nr_throttled //p' "$group/cpu.stat")
    mlctl cancel "$id"
    # A period of the quota may lie across each end.
    number "$used < 1.1 * $then and $throttled > 0"
    echo "$((used / 1000)) ms of CPU time in $((then / 1000)) ms, throttled $throttled times"
}

process_limit() {
    local id
    id=$(command_job 'for n in $(seq 40); do sleep 60 & done' 'sandbox.max-processes = 16' | submit ada)
    mlctl wait "$id" || true
    has "$(mlctl logs "$id" --stream stderr)" 'annot fork'
    mlctl logs "$id" --stream stderr
}

other_homes() {
    echo secret >/home/bob/open
    chmod 755 /home/bob
    chmod 644 /home/bob/open
    as ada test -r /home/bob/open
    same "$(run_as ada 'cat /home/bob/open 2>/dev/null || echo closed' 2>/dev/null)" closed
}

no_network() { same "$(run_as ada 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "' 2>/dev/null)" lo; }
