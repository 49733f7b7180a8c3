# A reboot

before_reboot() {
    check "jobs run and wait as the machine goes down" jobs_before_reboot
}

jobs_before_reboot() {
    local lost again held noted_at saves time
    lost=$(command_job 'sleep 3000' 'name = "lost"' | submit ada)
    again=$(command_job 'sleep 120' 'name = "again"' 'schedule.interruptible = true' | submit ada)
    saves=$(command_job 'trap "sleep 1; echo saved >saved; exit 0" TERM; touch begun; while :; do sleep 1; done' 'name = "saves"' | submit bob)
    held=$(command_job 'true' 'name = "held"' "resources.cpus = $(nproc)" | submit ada)
    as ada mlctl hold "$held"
    within 120 in_state "$lost" running
    within 120 in_state "$again" running
    within 120 test -e /home/bob/begun
    refused test -e /home/bob/saved
    noted_at=$(date +%s%6N)
    read -r _ time <<<"$(metered)"
    echo "lost=$lost saves=$saves again=$again held=$held noted_at=$noted_at metered_us=$time" >/var/lib/acceptance-jobs
    sync
    cat /var/lib/acceptance-jobs
}

after_reboot() {
    lost= saves= again= held= noted_at= metered_us=
    . /var/lib/acceptance-jobs
    check "mld runs after a reboot without anybody asking" within 180 serves
    check "a job that ran is lost, and says so" in_state "$lost" lost
    check "one that wants to save what it has was asked to end, and given the time" saved
    check "an interruptible one runs again" runs_again
    check "one that waited still waits, and runs" waits_still
    check "the time without the machine is metered for nobody" nothing_metered_between
    check "a counter that began anew is booked with what it showed" meter_is_right
    check "the ledger stands its audit after a reboot" audit
}

saved() {
    same "$(cat /home/bob/saved)" saved
    in_state "$saves" lost
    field "$saves" reason
}

runs_again() {
    mlctl wait "$again"
    same "$(field "$again" state) $(field "$again" attempt)" "succeeded 2"
}

waits_still() {
    in_state "$held" queued
    as ada mlctl release "$held"
    mlctl wait "$held"
}

# Since the last look before the reboot at most the time until mld was stopped and that since the start of the system is metered.
nothing_metered_between() {
    local time up all
    read -r _ time <<<"$(metered)"
    up=$(awk '{ printf "%d", $1 * 1e6 }' /proc/uptime)
    all=$(($(date +%s%6N) - noted_at))
    number "$time - $metered_us <= $(cat /var/lib/acceptance-stopped) - $noted_at + $up"
    echo "$(((time - metered_us) / 1000)) of $((all / 1000)) ms"
}
